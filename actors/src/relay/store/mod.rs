//! What the relay keeps: questions to its [`Store`](crate::store::Store), by subject. Each question checks by itself whether
//! who asks may, in the same transaction in which it acts.

mod accounts;
mod codes;
mod devices;
mod machines;
mod push;
mod schema;
mod scopes;
mod servers;

pub use accounts::{AccountRow, AddToken, ListAccounts, RemoveAccount, Survey, Surveyed};
pub use codes::{Claim, Claimed, ClaimedBy, CodeStatus, NewCode};
pub use devices::{Device, DeviceRow, EndPairing, ListPairings, Paired, PairingRow, RenamePairing, RenewDevice, Seen};
pub use machines::{ListMachines, MachineRow, Machines};
pub use push::{ForgetSubscription, HasSubscription, Subscribe, Subscription, Subscriptions};
pub use servers::{Bearer, Enroll, Enrolled, ServerOf};
