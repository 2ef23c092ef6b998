//! The same commands, sent by hand through `redis`, with the connection settings of `RedisStore`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, Script};
use session_runtime::SessionId;
use session_runtime::store::{PERMANENT_FIELD, SessionKey};
use sha2::Sha256;

use crate::visitor::{COOKIE, header};

/// Default deadline of an operation in `RedisStore`, and default idle timeout in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(1);
const IDLE: u64 = 86_400_000;
/// A different prefix, with the same length.
const PREFIX: &str = "han";
const FIELD: &str = "count";
const WRITE: &str =
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/write.lua");

/// The session of a visitor, as a handler without this library keeps it.
#[derive(Clone)]
pub(crate) struct ByHand {
    connection: MultiplexedConnection,
    signing_key: Hmac<Sha256>,
    script_hash: String,
    key: String,
    header: Vec<u8>,
}

impl ByHand {
    /// Creates a session with an id from session-runtime, under another prefix. Keys and cookies
    /// have the same length.
    pub(crate) async fn begin(url: &str, id: &SessionId) -> Self {
        let connection = connect(url).await;
        let signing_key = Hmac::new_from_slice(b"a key that signs what is kept by hand").unwrap();
        let key = SessionKey::new(PREFIX, id).expose_secret().to_owned();
        let id = id.expose_secret();
        let script_hash = Script::new(WRITE).get_hash().to_owned();
        let mac = URL_SAFE_NO_PAD.encode(sign(&signing_key, id).finalize().into_bytes());
        let header = header(&format!("{id}.{mac}"));
        let mut session = Self { connection, signing_key, script_hash, key, header };
        let fields = [(PERMANENT_FIELD, ""), (FIELD, "12345")];
        let _: () = redis::cmd("HSET")
            .arg(&session.key)
            .arg(&fields)
            .query_async(&mut session.connection)
            .await
            .unwrap();
        session
    }

    /// A first read: verifies the cookie, builds the key, and refreshes the expiry.
    pub(crate) async fn read_request(&mut self) -> u64 {
        let key = self.verified_key().unwrap();
        read_and_refresh(&mut self.connection, &key).await
    }

    /// Only the commands of a first read.
    pub(crate) async fn read_and_refresh(&mut self) -> u64 {
        read_and_refresh(&mut self.connection, &self.key).await
    }

    /// A further read.
    pub(crate) async fn read(&mut self) -> u64 {
        let count: Option<u64> = redis::cmd("HGET")
            .arg(&self.key)
            .arg(FIELD)
            .query_async(&mut self.connection)
            .await
            .unwrap();
        count.unwrap_or_default()
    }

    /// A write with the same condition as in session-runtime: the session must exist.
    pub(crate) async fn write_guarded(&mut self, count: u64) -> i64 {
        let mut command = redis::cmd("EVALSHA");
        // Removes nothing, and gives no field an expiry.
        command.arg(&self.script_hash).arg(1).arg(&self.key).arg(IDLE).arg(0).arg(0).arg(0);
        command.arg(FIELD).arg(count);
        command.query_async(&mut self.connection).await.unwrap()
    }

    /// A write without a condition. It restores sessions that have ended.
    pub(crate) async fn write_plain(&mut self, count: u64) {
        let mut transaction = redis::pipe();
        transaction.atomic().cmd("HSET").arg(&self.key).arg(FIELD).arg(count).ignore();
        transaction.cmd("PEXPIRE").arg(&self.key).arg(IDLE).ignore();
        transaction.exec_async(&mut self.connection).await.unwrap();
    }

    fn verified_key(&self) -> Option<String> {
        let cookies = std::str::from_utf8(&self.header)
            .ok()?
            .split(';')
            .filter_map(|pair| pair.split_once('='));
        let (_, value) = cookies
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, _)| *name == COOKIE)?;
        let (id, mac) = value.split_once('.')?;
        let mut given = [0; 32];
        URL_SAFE_NO_PAD.decode_slice(mac, &mut given).ok()?;
        sign(&self.signing_key, id).verify_slice(&given).ok()?;
        let (tag, rest) = id.split_at_checked(8)?;
        Some([PREFIX, ":sessions:{", tag, "}", rest].concat())
    }
}

fn sign(key: &Hmac<Sha256>, id: &str) -> Hmac<Sha256> {
    key.clone().chain_update(id)
}

async fn read_and_refresh(connection: &mut MultiplexedConnection, key: &str) -> u64 {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HGET").arg(key).arg(FIELD);
    pipeline.cmd("PEXPIRE").arg(key).arg(IDLE);
    let (count, is_there): (Option<u64>, bool) = pipeline.query_async(connection).await.unwrap();
    count.filter(|_| is_there).unwrap_or_default()
}

async fn connect(url: &str) -> MultiplexedConnection {
    let info = url.into_connection_info().unwrap();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info
        .set_redis_settings(settings)
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(Some(TIMEOUT));
    let client = Client::open(info).unwrap();
    let mut connection =
        client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let _: String =
        redis::cmd("SCRIPT").arg("LOAD").arg(WRITE).query_async(&mut connection).await.unwrap();
    connection
}
