-- Where a device wants to be told that a machine waits for a person. The address is a secret of the device: whoever knows it can
-- knock there, though without a key of this relay the service behind it refuses.
CREATE TABLE push_subscriptions (
    device_id TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
