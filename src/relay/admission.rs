//! What is checked of every request, before anything is looked up.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{RequestHead, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
    web,
};

use super::{
    refusal::Refused,
    site::{Rules, Site},
};
use crate::http::{
    Peer, Refusal,
    admission::{admit_if, head_bytes},
};

/// Headers of every answer. The page needs nothing from elsewhere, runs no text as code, and may not be framed.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
         manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Refuses requests in this order: above a limit on connections (503), with a head that is too long (431), for other hosts
/// (421), from pages of another origin (403).
pub async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = admit_if(request, next, judge).await?;
    for (name, value) in HEADERS {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

fn judge(request: &ServiceRequest) -> Result<(), Refused> {
    let site = request.app_data::<web::Data<Site>>().ok_or(Refusal::UnknownPeer)?;
    let peer = request.conn_data::<Peer>().ok_or(Refusal::UnknownPeer)?;
    peer.renew();
    if let Some(full) = peer.full() {
        return Err(Refusal::Full(full).into());
    }
    if head_bytes(request.head()) > site.rules.request_head_bytes {
        return Err(Refusal::LongHead.into());
    }
    let tcp = peer.tcp().ok_or(Refusal::UnknownPeer)?;
    site.rules.hosts.check(request.head(), tcp.reached)?;
    let has_origin = request.headers().contains_key(header::ORIGIN);
    if has_origin && !is_own_origin(request.head(), &site.rules) {
        return Err(Refused::OtherOrigin);
    }
    Ok(())
}

/// Whether the request comes from the page of this relay, as its browser says.
pub fn is_own_origin(request: &RequestHead, rules: &Rules) -> bool {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let (Some(origin), None) = (origins.next().and_then(|it| it.to_str().ok()), origins.next()) else { return false };
    if rules.public.as_ref().is_some_and(|public| public.origin() == origin) {
        return true;
    }
    let scheme = if rules.encrypted { "https://" } else { "http://" };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // The host has been checked already.
    origin.strip_prefix(scheme).zip(host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}
