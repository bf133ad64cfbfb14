-- Readiness must know whether the database takes writes: a full disk or a
-- read-only standby still answers every read. The probe writes here.

CREATE TABLE write_probe (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    written BIGINT NOT NULL
);

INSERT INTO write_probe (one, written) VALUES (1, 0);
