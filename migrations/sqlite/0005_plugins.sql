-- The registry of plugins: components, which one fills which slot, who decided
-- so, and what went wrong. It wins over the folder with plugins, which only
-- fills what is empty here.
--
-- A component is its digest: one that comes twice is kept once.

-- size stands before the bytes, so that it is read without them.
CREATE TABLE plugin_artifacts (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    component BLOB NOT NULL
) STRICT;

CREATE TABLE plugin_versions (
    slot TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES plugin_artifacts (digest),
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    source TEXT NOT NULL,
    signed_by TEXT,
    accepted_by TEXT,
    facts TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (slot, digest)
) STRICT;

-- A cache: every row may be deleted at any time. It may be filled before the
-- component is let in. written_at is for whoever tidies up.
CREATE TABLE plugin_native_code (
    digest TEXT NOT NULL,
    compatibility TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (digest, compatibility)
) STRICT;

-- An empty slot has no row. generation is the number of the change that made
-- it so: whoever changes a slot names the generation that they built upon.
CREATE TABLE plugin_slots (
    slot TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    active TEXT NOT NULL,
    canary TEXT,
    share INTEGER CHECK (share BETWEEN 1 AND 99),
    CHECK ((canary IS NULL) = (share IS NULL)),
    FOREIGN KEY (slot, active) REFERENCES plugin_versions (slot, digest),
    FOREIGN KEY (slot, canary) REFERENCES plugin_versions (slot, digest)
) STRICT;

-- What was done to the slots, and what was refused. It names digests of which
-- no version is kept, because they were never let in.
CREATE TABLE plugin_changes (
    number INTEGER PRIMARY KEY,
    slot TEXT NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    from_digest TEXT,
    to_digest TEXT,
    share INTEGER,
    why TEXT NOT NULL,
    refusal TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX plugin_changes_by_slot ON plugin_changes (slot, number);

CREATE TRIGGER plugin_changes_are_never_updated BEFORE UPDATE ON plugin_changes
BEGIN
    SELECT RAISE(ABORT, 'plugin_changes is only ever added to');
END;

CREATE TRIGGER plugin_changes_are_never_deleted BEFORE DELETE ON plugin_changes
BEGIN
    SELECT RAISE(ABORT, 'plugin_changes is only ever added to');
END;

-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER plugin_changes_are_never_replaced BEFORE INSERT ON plugin_changes
WHEN EXISTS (SELECT 1 FROM plugin_changes WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'plugin_changes is only ever added to');
END;

-- As journal_head: a writer holds the row until it has committed, so numbers
-- have no gaps and are in the order of commit. Who writes pins or parks holds
-- it too: the row is the one turn that all writers of the registry take.
CREATE TABLE plugin_change_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_number INTEGER NOT NULL
) STRICT;

INSERT INTO plugin_change_head (one, last_number) VALUES (1, 0);

-- Sessions that stay with a version of the workflow until they end.
CREATE TABLE plugin_pins (
    session_name TEXT PRIMARY KEY REFERENCES sessions (name) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- digest is missing if what was sent was not even a component.
CREATE TABLE plugin_verdicts (
    number INTEGER PRIMARY KEY,
    slot TEXT NOT NULL,
    digest TEXT,
    at INTEGER NOT NULL,
    gate TEXT NOT NULL,
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
    message TEXT NOT NULL,
    report TEXT
) STRICT;

CREATE INDEX plugin_verdicts_by_version ON plugin_verdicts (slot, digest, number);

-- What a plugin could not work. number is the order in which they came; it is
-- never given twice, or the newest could be taken for the oldest.
CREATE TABLE parked (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_name TEXT NOT NULL REFERENCES sessions (name) ON DELETE CASCADE,
    slot TEXT NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    input TEXT,
    context TEXT
) STRICT;

CREATE INDEX parked_by_slot ON parked (slot, number);

CREATE INDEX parked_by_session ON parked (session_name);

-- The schema of the state in the transition, and the fuel that it took. All
-- that was recorded so far is of schema 1; its fuel was not counted.
ALTER TABLE inputs ADD COLUMN state_schema INTEGER NOT NULL DEFAULT 1;

ALTER TABLE inputs ADD COLUMN fuel INTEGER NOT NULL DEFAULT 0;

ALTER TABLE deleted_sessions ADD COLUMN state_schema INTEGER NOT NULL DEFAULT 1;

ALTER TABLE deleted_sessions ADD COLUMN fuel INTEGER NOT NULL DEFAULT 0;
