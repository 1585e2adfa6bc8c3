//! stub
pub struct StoreClient;
