//! Checks that apply to every request.

use actix_web::{
    Error, ResponseError,
    body::MessageBody,
    dev::{RequestHead, ServiceRequest, ServiceResponse},
    http::{
        ConnectionType,
        header::{self, HeaderMap},
    },
    middleware::Next,
    web,
};

use super::{Peer, Refusal, Site, Transport, probes};

/// Refuses requests in this order: from web pages (403), with a head that is too long (431), for other hosts (421),
/// above a limit on connections (503).
pub async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    admit_if(request, next, judge).await
}

/// Passes on a request that `judge` lets through, and answers every other one with its refusal. A connection above a limit gets
/// one answer.
///
/// # Errors
/// Those of the library.
pub async fn admit_if<B: MessageBody + 'static, R: ResponseError>(
    request: ServiceRequest,
    next: Next<B>,
    judge: impl FnOnce(&ServiceRequest) -> Result<(), R>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_last = request.conn_data::<Peer>().is_some_and(|peer| peer.full().is_some());
    let mut response = match judge(&request) {
        Ok(()) => next.call(request).await?.map_into_left_body(),
        Err(refusal) => request.into_response(refusal.error_response()).map_into_right_body(),
    };
    if is_last {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

fn judge(request: &ServiceRequest) -> Result<(), Refusal> {
    let site = request.app_data::<web::Data<Site>>().ok_or(Refusal::UnknownPeer)?;
    // Browsers add `Origin` to every WebSocket request and to most others; other clients do not.
    let may_be_page = matches!(site.transport, Transport::Pages(_)) && is_own_page(request.headers());
    if request.headers().contains_key(header::ORIGIN) && !may_be_page {
        return Err(Refusal::WebPage);
    }
    let peer = request.conn_data::<Peer>().ok_or(Refusal::UnknownPeer)?;
    peer.renew();
    if head_bytes(request.head()) > site.request_head_bytes {
        return Err(Refusal::LongHead);
    }
    if let Transport::Tcp(door) | Transport::Pages(door) = &site.transport {
        door.check(request.head(), peer.tcp().ok_or(Refusal::UnknownPeer)?)?;
    }
    match peer.full() {
        Some(full) if !probes::PATHS.contains(&request.path()) => Err(Refusal::Full(full)),
        _ => Ok(()),
    }
}

/// Whether the one `Origin` is the one `Host`, which is checked later.
fn is_own_page(headers: &HeaderMap) -> bool {
    let only = |name| {
        let mut values = headers.get_all(name);
        values.next().and_then(|value| value.to_str().ok()).filter(|_| values.next().is_none())
    };
    let origin = only(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(scheme, host)| matches!(scheme, "http" | "https") && only(header::HOST) == Some(host))
}

/// The approximate length of the head: the parts whose length the peer chooses.
pub fn head_bytes(head: &RequestHead) -> usize {
    let headers: usize = head.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + headers
}
