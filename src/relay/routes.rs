//! The routes, and what is around them.

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};

use super::{admission, page, phones, push, refusal::Refused, servers, site::Site};

/// The routes.
pub fn app(
    site: web::Data<Site>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let bytes = site.rules.settings.request_bytes;
    App::new()
        .app_data(site)
        .app_data(web::JsonConfig::default().limit(bytes).content_type_required(false).error_handler(Refused::of_json))
        .configure(servers::routes)
        .configure(phones::routes)
        .configure(push::routes)
        .configure(page::routes)
        .default_service(web::to(async || Err::<HttpResponse, _>(Refused::NoRoute)))
        .wrap(from_fn(admission::admit))
}
