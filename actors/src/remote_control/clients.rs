//! Lists and revokes the controllers of an environment. Also works while remote control is disabled.

use super::failure::{Failure, Kind};
use super::session::Session;
use super::url::BackendUrl;
use crate::account::Recovery;
use crate::protocol::RpcError;
use crate::protocol::remote::http::ClientItem;
use crate::protocol::remote::{
    RemoteControlClient, RemoteControlClientsListParams, RemoteControlClientsListResponse,
    RemoteControlClientsRevokeParams,
};
use crate::store::messages::DeviceRecord;
use crate::times;

/// Allowed numbers of controllers on a page.
const PAGE: std::ops::RangeInclusive<u32> = 1..=100;

/// -32600 for what the user can change, -32603 for the rest.
pub fn told(failure: Failure) -> RpcError {
    match failure.kind {
        Kind::Other | Kind::Deferred | Kind::AccountChanged => RpcError::internal(failure.text),
        _ => RpcError::invalid_request(failure.text),
    }
}

/// Checks that a name can be part of a path: not empty, not `.` or `..`. URLs drop tabs and newlines, which could turn
/// a name into another one, so they are rejected, too.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['\t', '\n', '\r'])
}

fn check(what: &str, valid: bool) -> Result<(), RpcError> {
    if valid { Ok(()) } else { Err(RpcError::invalid_request(format_args!("remote control client {what}"))) }
}

impl Session {
    /// Lists controllers.
    pub async fn clients(
        &self,
        params: RemoteControlClientsListParams,
    ) -> Result<RemoteControlClientsListResponse, RpcError> {
        check("list requires environmentId", is_name(&params.environment_id))?;
        check("list limit must be between 1 and 100", params.limit.is_none_or(|limit| PAGE.contains(&limit)))?;
        let backend = &self.tools.backend;
        let page = async {
            let url = self.url().await?;
            let ask = async |me| backend.clients(&url, &me, &params).await;
            self.with_recovery(&Recovery::of_request(), is_unauthorized, ask).await
        };
        let page = page.await.map_err(told)?;
        let listed = page.items.into_iter().map(client).collect::<Result<_, _>>().map_err(RpcError::internal)?;
        let own = self.own_devices(&params.environment_id).await?;
        let data = with_own(listed, &own, params.cursor.is_none());
        Ok(RemoteControlClientsListResponse { data, next_cursor: page.cursor })
    }

    /// Revokes a controller at the backend.
    pub async fn revoke(&self, params: RemoteControlClientsRevokeParams) -> Result<(), Failure> {
        let RemoteControlClientsRevokeParams { environment_id, client_id } = params;
        let url: BackendUrl = self.url().await?;
        let ask = async |me| self.tools.backend.revoke(url.client(&environment_id, &client_id), &me).await;
        self.with_recovery(&Recovery::of_request(), is_unauthorized, ask).await
    }
}

/// A page of the relay's list, with the devices that were paired with this machine itself: a relay can hide none of them. They
/// are on the first page, whatever page the relay puts them on.
fn with_own(mut listed: Vec<RemoteControlClient>, own: &[DeviceRecord], is_first: bool) -> Vec<RemoteControlClient> {
    if !is_first {
        listed.retain(|it| own.iter().all(|device| device.client_id != it.client_id));
        return listed;
    }
    let hidden = own.iter().filter(|device| listed.iter().all(|it| it.client_id != device.client_id));
    let hidden: Vec<_> = hidden.map(of_device).collect();
    listed.extend(hidden);
    listed
}

fn of_device(device: &DeviceRecord) -> RemoteControlClient {
    RemoteControlClient {
        client_id: device.client_id.clone(),
        display_name: device.name.clone(),
        device_type: None,
        platform: None,
        os_version: None,
        device_model: None,
        app_version: None,
        last_seen_at: None,
    }
}

/// Checks what names a controller to revoke.
pub fn check_revoke(params: &RemoteControlClientsRevokeParams) -> Result<(), RpcError> {
    check("revoke requires environmentId", is_name(&params.environment_id))?;
    check("revoke requires clientId", is_name(&params.client_id))
}

/// 403 is final for lists of controllers; only 401 is about the token.
fn is_unauthorized(failure: &Failure) -> bool {
    failure.status == Some(401)
}

fn client(item: ClientItem) -> Result<RemoteControlClient, String> {
    let ClientItem {
        client_id,
        display_name,
        device_type,
        platform,
        os_version,
        device_model,
        app_version,
        last_seen_at,
    } = item;
    let seconds = |text: String| match times::parse(&text) {
        Ok(ms) => Ok(ms.div_euclid(1000)),
        Err(e) => Err(format!("failed to parse remote control client last_seen_at `{text}`: {e}")),
    };
    let last_seen_at = last_seen_at.map(seconds).transpose()?;
    Ok(RemoteControlClient {
        client_id,
        display_name,
        device_type,
        platform,
        os_version,
        device_model,
        app_version,
        last_seen_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::scope::Scopes;

    fn device(id: &str) -> DeviceRecord {
        DeviceRecord {
            environment_id: "env".to_owned(),
            client_id: id.to_owned(),
            public_key: vec![0; 32],
            name: Some(format!("name of {id}")),
            scopes: Scopes::NONE,
        }
    }

    #[test]
    fn each_device_of_this_machine_is_listed_once_whatever_the_relay_lists() {
        let own = ["here", "hidden", "later"].map(device);
        let page = |ids: &[&str], is_first| {
            let listed = ids.iter().map(|id| of_device(&device(id))).collect();
            with_own(listed, &own, is_first).into_iter().map(|it| it.client_id).collect::<Vec<_>>()
        };
        assert_eq!(page(&["here", "foreign"], true), ["here", "foreign", "hidden", "later"]);
        assert_eq!(page(&["later", "another"], false), ["another"]);
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_in_a_url_is_none() {
        for bad in ["", ".", "..", ".\t.", "\n..", ".\r", "c\t1"] {
            assert!(!is_name(bad), "{bad:?}");
        }
        for good in ["c1", "a b/c", "...", "%2e%2e", "e/../ x"] {
            let url = BackendUrl::parse("https://chatgpt.com/", &[]).unwrap().client("env", good);
            assert_eq!(url.path_segments().unwrap().count(), 7, "{url}");
            assert!(is_name(good), "{good:?}");
        }
    }
}
