-- The journal: what clients resume from. Its places have no gaps and are in the
-- order of commit, so that a reader who has seen place n has seen all before.
-- A sequence would promise neither; therefore the next place is in a row that
-- each writer holds until it has committed.

CREATE TABLE journal (
    id BIGINT PRIMARY KEY,
    session_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL
);

CREATE INDEX journal_by_time ON journal (at);

CREATE TABLE journal_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    last_id BIGINT NOT NULL
);

INSERT INTO journal_head (one, last_id) VALUES (1, 0);
