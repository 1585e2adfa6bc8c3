//! The tables as diesel sees them; `relay-migrations/` creates them.

diesel::table! {
    accounts (id) {
        id -> Text,
        name -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    account_tokens (digest) {
        digest -> Text,
        account_id -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    servers (id) {
        id -> Text,
        environment_id -> Text,
        account_id -> Text,
        installation_id -> Text,
        name -> Text,
        os -> Text,
        arch -> Text,
        created_at -> BigInt,
        last_seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    pairing_codes (id) {
        id -> BigInt,
        server_id -> Text,
        digest -> Text,
        manual_digest -> Nullable<Text>,
        manual_index -> Nullable<Text>,
        scopes -> Text,
        tries -> BigInt,
        claimed -> Bool,
        expires_at -> BigInt,
    }
}

diesel::table! {
    devices (id) {
        id -> Text,
        digest -> Text,
        previous_digest -> Nullable<Text>,
        previous_until -> BigInt,
        issued_at -> BigInt,
    }
}

diesel::table! {
    pairings (client_id) {
        client_id -> Text,
        device_id -> Text,
        server_id -> Text,
        scopes -> Text,
        display_name -> Nullable<Text>,
        platform -> Nullable<Text>,
        created_at -> BigInt,
        last_seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    push_subscriptions (device_id) {
        device_id -> Text,
        endpoint -> Text,
        created_at -> BigInt,
    }
}

diesel::joinable!(servers -> accounts (account_id));
diesel::joinable!(pairings -> servers (server_id));
diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    account_tokens,
    servers,
    pairing_codes,
    devices,
    pairings,
    push_subscriptions
);
