//! The tables as diesel sees them; `migrations/` creates them.

diesel::table! {
    threads (id) {
        id -> Text,
        session_id -> Text,
        forked_from_id -> Nullable<Text>,
        name -> Nullable<Text>,
        preview -> Text,
        has_turns -> Bool,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        recency_at_ms -> BigInt,
        archived_at_ms -> Nullable<BigInt>,
        cwd -> Text,
        cli_version -> Text,
        originator -> Nullable<Text>,
        source -> Text,
        thread_source -> Nullable<Text>,
        history_mode -> Text,
        git_sha -> Nullable<Text>,
        git_branch -> Nullable<Text>,
        git_origin_url -> Nullable<Text>,
        daybreak_enabled -> Nullable<Bool>,
        model_provider -> Text,
        settings -> Text,
    }
}

diesel::table! {
    turns (thread_id, ordinal) {
        thread_id -> Text,
        ordinal -> BigInt,
        id -> Text,
        root_turn_id -> Nullable<Text>,
        status -> Text,
        error -> Nullable<Text>,
        started_at_ms -> Nullable<BigInt>,
        completed_at_ms -> Nullable<BigInt>,
        token_usage -> Nullable<Text>,
    }
}

diesel::table! {
    model_history (thread_id, epoch, position) {
        thread_id -> Text,
        epoch -> BigInt,
        position -> BigInt,
        turn_ordinal -> Nullable<BigInt>,
        entry -> Text,
    }
}

diesel::table! {
    items (thread_id, ordinal) {
        thread_id -> Text,
        ordinal -> BigInt,
        turn_id -> Text,
        id -> Text,
        kind -> Text,
        text -> Text,
        started_at_ms -> Nullable<BigInt>,
        completed_at_ms -> Nullable<BigInt>,
        item -> Text,
    }
}

diesel::table! {
    goals (thread_id) {
        thread_id -> Text,
        objective -> Text,
        status -> Text,
        token_budget -> Nullable<BigInt>,
        tokens_used -> BigInt,
        used_ms -> BigInt,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
    }
}

diesel::table! {
    queued_messages (thread_id, id) {
        thread_id -> Text,
        id -> Text,
        client_id -> Text,
        input -> Text,
        metadata -> Nullable<Text>,
    }
}

diesel::table! {
    remote_control_enrollments (websocket_url, account_id, app_server_client_name) {
        websocket_url -> Text,
        account_id -> Text,
        app_server_client_name -> Text,
        server_id -> Text,
        environment_id -> Text,
        server_name -> Text,
        updated_at -> BigInt,
        remote_control_enabled -> Nullable<Bool>,
    }
}

diesel::table! {
    remote_control_key (id) {
        id -> BigInt,
        private_key -> Binary,
    }
}

diesel::table! {
    remote_control_devices (environment_id, client_id) {
        environment_id -> Text,
        client_id -> Text,
        public_key -> Binary,
        name -> Nullable<Text>,
        scopes -> Text,
        paired_at -> BigInt,
        used_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(threads, turns, items);
