-- What this host is at the remote-control backend: one row for each backend, account and client name. Tokens, cursors and
-- sequence numbers are never kept.

CREATE TABLE remote_control_enrollments (
    websocket_url TEXT NOT NULL,
    account_id TEXT NOT NULL,
    app_server_client_name TEXT NOT NULL, -- empty except on stdio
    server_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    server_name TEXT NOT NULL,
    updated_at INTEGER NOT NULL, -- Unix seconds
    remote_control_enabled INTEGER, -- NULL: nobody has decided
    PRIMARY KEY (websocket_url, account_id, app_server_client_name)
) STRICT;
