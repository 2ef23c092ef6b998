//! The Redis client of ruts and of tower-sessions' store, with a single connection like the other
//! contestants.

use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::Builder;
use fred::types::config::{Config, TcpConfig};

use crate::Failure;

pub(crate) async fn connect(redis: &str) -> Result<Client, Failure> {
    let config = Config::from_url(&format!("redis://{redis}"))?;
    let client = Builder::from_config(config)
        .with_connection_config(|settings| {
            settings.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
        })
        .build()?;
    client.init().await?;
    Ok(client)
}
