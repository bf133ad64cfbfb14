-- Sessions, with every input that their workflow was given: later versions of
-- a workflow are judged by replaying them. QR payloads and pairing codes are
-- live secrets and have no column here; see host/core/src/event.rs.
--
-- Times are milliseconds since 1970. JSON is text, so that it comes back as it
-- went in.

CREATE TABLE sessions (
    name TEXT PRIMARY KEY,
    view TEXT NOT NULL,
    state BLOB NOT NULL,
    state_schema INTEGER NOT NULL,
    input_number INTEGER NOT NULL,
    wake_up_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- first_event says where in the journal the input's events begin: a commit that
-- is repeated because its answer was lost is answered from it.
CREATE TABLE inputs (
    session_name TEXT NOT NULL REFERENCES sessions (name) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    input TEXT NOT NULL,
    context TEXT NOT NULL,
    transition TEXT NOT NULL,
    first_event INTEGER NOT NULL,
    PRIMARY KEY (session_name, number)
) STRICT;

CREATE INDEX inputs_by_time ON inputs (at);

CREATE TABLE history (
    session_name TEXT NOT NULL REFERENCES sessions (name) ON DELETE CASCADE,
    input_number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    cause TEXT NOT NULL,
    PRIMARY KEY (session_name, input_number)
) STRICT;

CREATE INDEX history_by_time ON history (at);

-- The last input of each session that was deleted: a repeated
-- delete finds here that it was done already.
CREATE TABLE deleted_sessions (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    input TEXT NOT NULL,
    context TEXT NOT NULL,
    transition TEXT NOT NULL,
    first_event INTEGER NOT NULL
) STRICT;
