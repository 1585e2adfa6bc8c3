-- What a relay keeps: who may bring servers, which servers there are, and which devices may control them. Tokens and codes are
-- kept as SHA-256 digests only.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL -- Unix seconds
) STRICT;

CREATE TABLE account_tokens (
    digest TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    installation_id TEXT NOT NULL,
    name TEXT NOT NULL,
    os TEXT NOT NULL,
    arch TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER
) STRICT;

CREATE INDEX servers_of_account ON servers (account_id, created_at);

-- The first letters of the code for typing are kept beside the digest, so that wrong guesses count against the code they were
-- aimed at.
CREATE TABLE pairing_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    manual_digest TEXT UNIQUE,
    manual_index TEXT,
    scopes TEXT NOT NULL,
    tries INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX pairing_codes_by_index ON pairing_codes (manual_index);

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    previous_digest TEXT UNIQUE, -- still good until previous_until, because an answer may get lost
    previous_until INTEGER NOT NULL,
    issued_at INTEGER NOT NULL
) STRICT;

-- One device that may control one server. Its client id is all that the server learns of the device.
CREATE TABLE pairings (
    client_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    display_name TEXT,
    platform TEXT,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    UNIQUE (device_id, server_id)
) STRICT;

CREATE INDEX pairings_of_server ON pairings (server_id, created_at);
