-- Subscriptions of event handlers: what each gets and may do, how far it has
-- come in the journal, what was given up, and what its handler keeps.
--
-- All events up to a subscription's cursor are settled, but for those of the
-- sessions in its lanes. epoch is another number whenever the place was set from
-- outside: whoever read the one before may not write its progress any more.

CREATE TABLE subscriptions (
    handler TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    disabled TEXT,
    cursor INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kv_revision INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (handler, name)
) STRICT;

-- sealed can be read by the host that sealed it, with a key that is not here.
CREATE TABLE subscription_secrets (
    handler TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (handler, name, secret),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
) STRICT;

CREATE TABLE delivery_lanes (
    handler TEXT NOT NULL,
    name TEXT NOT NULL,
    session_name TEXT NOT NULL,
    settled INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_at INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    error TEXT NOT NULL,
    gap_from INTEGER,
    gap_to INTEGER,
    PRIMARY KEY (handler, name, session_name),
    CHECK ((gap_from IS NULL) = (gap_to IS NULL)),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
) STRICT;

-- The event is kept whole, because the journal forgets it earlier.
CREATE TABLE dead_letters (
    handler TEXT NOT NULL,
    name TEXT NOT NULL,
    id INTEGER NOT NULL,
    session_name TEXT NOT NULL,
    event_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    requeued_at INTEGER,
    PRIMARY KEY (handler, name, id),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
) STRICT;

CREATE INDEX dead_letters_by_time ON dead_letters (at);

-- They are few, and asked for all the time.
CREATE INDEX dead_letters_requeued ON dead_letters (handler, name, id)
WHERE requeued_at IS NOT NULL;

CREATE TABLE handler_kv (
    handler TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (handler, name, key),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
) STRICT;

-- A lane that lags reads its own session's events again.
CREATE INDEX journal_by_session ON journal (session_name, id);
