//! Generates the type of notifications from their table.

/// Makes [`ServerNotification`](super::ServerNotification) from its table. A row is
/// `"name", Audience, Variant(Params);`, where the audience is a variant of
/// [`NotificationAudience`](super::NotificationAudience), and the params of a notification for subscribers have a
/// member `thread_id`. `as "Type"` after the name says by what name clients know the params.
macro_rules! notifications {
    ($($(#[$doc:meta])* $name:literal $(as $type:literal)?, $audience:ident, $variant:ident $params:tt;)*) => {
        /// Notifications from the server; the variants contain the `params`.
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "method", content = "params", rename_all_fields = "camelCase")]
        pub enum ServerNotification {
            $($(#[$doc])* #[serde(rename = $name)] $variant $params,)*
        }

        impl ServerNotification {
            /// Every notification that this server sends.
            pub const TABLE: &[NotificationRow] =
                &[$(NotificationRow { name: $name, params: notifications!(@type $($type)?) }),*];

            /// The name on the wire, by which clients opt out.
            pub fn method(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }

            /// The audience.
            pub fn audience(&self) -> NotificationAudience {
                match self { $(notifications!(@pattern $audience params $variant) => notifications!(@audience $audience params),)* }
            }
        }
    };
    (@type) => { None };
    (@type $type:literal) => { Some($type) };
    (@pattern Subscribers $params:ident $variant:ident) => { Self::$variant($params) };
    (@pattern $audience:ident $params:ident $variant:ident) => { Self::$variant { .. } };
    (@audience Subscribers $params:ident) => { NotificationAudience::Subscribers($params.thread_id) };
    (@audience $audience:ident $params:ident) => { NotificationAudience::$audience };
}
