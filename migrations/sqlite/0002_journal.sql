-- The journal: what clients resume from. Its places have no gaps and are in the
-- order of commit, so that a reader who has seen place n has seen all before.
-- A sequence would promise neither; therefore the next place is in a row that
-- each writer holds until it has committed.

CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    session_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL
) STRICT;

CREATE INDEX journal_by_time ON journal (at);

CREATE TABLE journal_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_id INTEGER NOT NULL
) STRICT;

INSERT INTO journal_head (one, last_id) VALUES (1, 0);
