-- Subscriptions of event handlers: what each gets and may do, how far it has
-- come in the journal, what was given up, and what its handler keeps.
--
-- All events up to a subscription's cursor are settled, but for those of the
-- sessions in its lanes. epoch is another number whenever the place was set from
-- outside: whoever read the one before may not write its progress any more.
--
-- Names and keys are in the order of their bytes, whatever the database's language.

CREATE TABLE subscriptions (
    handler TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    settings TEXT NOT NULL,
    disabled TEXT,
    cursor BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    kv_revision BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (handler, name)
);

-- sealed can be read by the host that sealed it, with a key that is not here.
CREATE TABLE subscription_secrets (
    handler TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    secret TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (handler, name, secret),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
);

CREATE TABLE delivery_lanes (
    handler TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    session_name TEXT COLLATE "C" NOT NULL,
    settled BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    first_attempt_at BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    error TEXT NOT NULL,
    gap_from BIGINT,
    gap_to BIGINT,
    PRIMARY KEY (handler, name, session_name),
    CHECK ((gap_from IS NULL) = (gap_to IS NULL)),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
);

-- The event is kept whole, because the journal forgets it earlier.
CREATE TABLE dead_letters (
    handler TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    session_name TEXT COLLATE "C" NOT NULL,
    event_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    requeued_at BIGINT,
    PRIMARY KEY (handler, name, id),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
);

CREATE INDEX dead_letters_by_time ON dead_letters (at);

-- They are few, and asked for all the time.
CREATE INDEX dead_letters_requeued ON dead_letters (handler, name, id)
WHERE requeued_at IS NOT NULL;

CREATE TABLE handler_kv (
    handler TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (handler, name, key),
    FOREIGN KEY (handler, name) REFERENCES subscriptions (handler, name) ON DELETE CASCADE
);

-- A lane that lags reads its own session's events again.
CREATE INDEX journal_by_session ON journal (session_name, id);
