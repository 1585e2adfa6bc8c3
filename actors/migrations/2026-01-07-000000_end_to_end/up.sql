-- The key with which this machine speaks end to end with phones. It has no more than one row.
CREATE TABLE remote_control_key (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    private_key BLOB NOT NULL -- X25519
) STRICT;

-- The phones that are paired end to end: what they may do says this table, and not the relay.
CREATE TABLE remote_control_devices (
    environment_id TEXT NOT NULL,
    client_id TEXT NOT NULL, -- the relay's name of the device
    public_key BLOB NOT NULL, -- X25519
    name TEXT, -- the device's own
    scopes TEXT NOT NULL, -- names with commas between them
    paired_at INTEGER NOT NULL, -- Unix seconds
    used_at INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (environment_id, client_id)
) STRICT, WITHOUT ROWID;
