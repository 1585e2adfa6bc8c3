//! Where devices want to be told that a machine waits for a person.

use diesel::prelude::*;

use super::schema::{devices, pairings, push_subscriptions};
use crate::store::Question;

/// Keeps the one subscription of a device, or takes it away. Answers whether there is such a device.
pub struct Subscribe {
    /// Id of the device.
    pub device_id: String,
    /// The address that is told; `None` for none any more.
    pub endpoint: Option<String>,
    /// Unix seconds.
    pub at: i64,
}

impl Question for Subscribe {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        diesel::delete(push_subscriptions::table.find(&self.device_id)).execute(db)?;
        let exists: i64 = devices::table.filter(devices::id.eq(&self.device_id)).count().get_result(db)?;
        if let (1.., Some(endpoint)) = (exists, self.endpoint) {
            let row = (
                push_subscriptions::device_id.eq(self.device_id),
                push_subscriptions::endpoint.eq(endpoint),
                push_subscriptions::created_at.eq(self.at),
            );
            diesel::insert_into(push_subscriptions::table).values(row).execute(db)?;
        }
        Ok(exists > 0)
    }
}

/// Whether a device has a subscription.
pub struct HasSubscription {
    /// Id of the device.
    pub device_id: String,
}

impl Question for HasSubscription {
    type Answer = bool;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let its = push_subscriptions::table.filter(push_subscriptions::device_id.eq(self.device_id));
        Ok(its.count().get_result::<i64>(db)? > 0)
    }
}

/// The subscriptions of all devices that may control a server.
pub struct Subscriptions {
    /// Id of the server.
    pub server_id: String,
}

/// A subscription.
#[derive(Clone, PartialEq, Eq, Queryable)]
pub struct Subscription {
    /// Id of the device as a controller of the server.
    pub client_id: String,
    /// Id of the device.
    pub device_id: String,
    /// The address that is told. A secret of the device.
    pub endpoint: String,
}

impl Question for Subscriptions {
    type Answer = Vec<Subscription>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        pairings::table
            .inner_join(push_subscriptions::table.on(push_subscriptions::device_id.eq(pairings::device_id)))
            .filter(pairings::server_id.eq(self.server_id))
            .select((pairings::client_id, pairings::device_id, push_subscriptions::endpoint))
            .load(db)
    }
}

/// Forgets a subscription that is not good any more, unless the device has another one meanwhile.
pub struct ForgetSubscription {
    /// Id of the device.
    pub device_id: String,
    /// The address that was told in vain.
    pub endpoint: String,
}

impl Question for ForgetSubscription {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let its = push_subscriptions::table
            .filter(push_subscriptions::device_id.eq(self.device_id))
            .filter(push_subscriptions::endpoint.eq(self.endpoint));
        diesel::delete(its).execute(db).map(drop)
    }
}
