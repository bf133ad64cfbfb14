-- What was seen when a session was repaired, beside its line of history and as
-- long as that. data is JSON; the picture stands beside it, as bytes.
CREATE TABLE evidence (
    session_name TEXT NOT NULL,
    input_number INTEGER NOT NULL,
    data TEXT NOT NULL,
    screenshot BLOB,
    PRIMARY KEY (session_name, input_number),
    FOREIGN KEY (session_name, input_number)
        REFERENCES history (session_name, input_number) ON DELETE CASCADE
) STRICT;

-- What was spent of the budgets of pairing codes, a row for each attempt and
-- budget. A phone number stands in the key only as a keyed hash.
CREATE TABLE pairing_attempts (
    budget TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX pairing_attempts_by_budget ON pairing_attempts (budget, at);

CREATE INDEX pairing_attempts_by_time ON pairing_attempts (at);

-- As journal_head: who counts holds the row until it has committed, so that two
-- can't both take the last of a budget.
CREATE TABLE pairing_attempt_turn (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    taken INTEGER NOT NULL
) STRICT;

INSERT INTO pairing_attempt_turn (one, taken) VALUES (1, 0);

-- The knowledge of WhatsApp's page: files that were let in, and which of them is
-- in use. The newest change tells; without a digest it is the host's own file.
CREATE TABLE page_hooks (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    pushed_at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;

CREATE TABLE page_hooks_changes (
    generation INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    digest TEXT REFERENCES page_hooks (digest),
    cause TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
