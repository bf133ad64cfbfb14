-- The console's own accounts. Passwords are kept as Argon2id hashes; refresh
-- tokens are not kept at all, only which one of a login's chain comes next.

-- username_key is the name in lower case: names differ in more than case.
CREATE TABLE admins (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- A login that ended has no row.
CREATE TABLE logins (
    id TEXT PRIMARY KEY,
    admin TEXT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    counter BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX logins_by_admin ON logins (admin);

-- SHA-256 of the one-time set-up token. One row at most.
CREATE TABLE setup_token (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    token_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
