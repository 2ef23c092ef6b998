//! The URLs that name servers.

use std::collections::BTreeSet;

use redis::{ConnectionInfo, IntoConnectionInfo};
use url::{Url, form_urlencoded};

use super::credentials::Credentials;
use super::net::address::Address;
use crate::error::Error;

/// The parts of a URL. There is no `Debug`, because a URL may contain passwords.
#[derive(Clone)]
pub(super) struct RedisUrl {
    pub(super) kind: UrlKind,
    /// The settings of connections to the servers that keep sessions. The address is the address of
    /// the first server.
    pub(super) info: ConnectionInfo,
    pub(super) login: Credentials,
    pub(super) options: UrlOptions,
}

#[derive(Clone)]
pub(super) enum UrlKind {
    Server,
    Cluster { nodes: Vec<Address> },
    Sentinel { sentinels: Vec<Address>, master_name: String },
}

/// The parameters behind the question mark.
#[derive(Clone, Default)]
pub(super) struct UrlOptions {
    pub(super) connections: Option<usize>,
    pub(super) sentinel_login: Credentials,
    /// The path of a PEM file, like the next two.
    pub(super) ca: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
    /// The host name in the servers' certificates.
    pub(super) server_name: Option<String>,
}

pub(super) const USABLE_URLS: &str = "the Redis URL cannot be used: write \
                                      redis://[[user]:password@]host[:port][/database], rediss:// \
                                      for TLS, redis+unix:///path/to/socket[?db=…&user=…&pass=…], \
                                      redis+cluster://[[user]:password@]host[:port],… or \
                                      redis+sentinel://[[user]:password@]host[:port],…/master-name[/database], \
                                      with special characters in user and password \
                                      percent-encoded";

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl RedisUrl {
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] and lists the supported forms. The error quotes nothing of
    /// the URL.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        // The URL parser would drop control characters, even in the middle of a password.
        if text.contains(char::is_control) {
            return Err(Error::config(
                "the Redis URL cannot be used: it contains a line break or another control \
                 character",
            ));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(unusable)?;
        let (base, topology) = match scheme.to_ascii_lowercase().split_once('+') {
            None => (scheme.to_ascii_lowercase(), None),
            Some((base, topology)) => (base.to_owned(), Some(topology.to_owned())),
        };
        match (base.as_str(), topology.as_deref()) {
            ("redis" | "rediss", None) => Self::server(&base, rest),
            ("redis", Some("unix")) => Self::socket(rest),
            ("redis" | "rediss", Some("cluster")) => Self::cluster(&base, rest),
            ("redis" | "rediss", Some("sentinel")) => Self::sentinel(&base, rest),
            _ => Err(unusable()),
        }
    }

    fn server(scheme: &str, rest: &str) -> Result<Self, Error> {
        let mut url = parse(scheme, rest)?;
        let options = UrlOptions::take(&mut url, &[])?;
        Self::new(UrlKind::Server, url, options)
    }

    fn socket(rest: &str) -> Result<Self, Error> {
        let mut url = parse("redis+unix", rest)?;
        // The client looks for the login elsewhere, and would connect without a login.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config(
                "the Redis URL cannot be used: set the user and the password of a socket with the \
                 parameters `user` and `pass`",
            ));
        }
        let with_login = url.clone();
        let options = UrlOptions::take(&mut url, &["db", "user", "pass"])?;
        Self::new(UrlKind::Server, with_login, options)
    }

    fn cluster(scheme: &str, rest: &str) -> Result<Self, Error> {
        let Hosts { login, hosts, tail } = Hosts::split(rest)?;
        let nodes = addresses(hosts, SERVER_PORT)?;
        let mut url = parse(scheme, &format!("{login}{}{tail}", first(hosts)))?;
        if !url.path().trim_matches('/').is_empty() {
            return Err(Error::config(
                "the Redis URL cannot be used: a cluster has no database numbers",
            ));
        }
        let options = UrlOptions::take(&mut url, &[])?;
        Self::new(UrlKind::Cluster { nodes }, url, options)
    }

    fn sentinel(scheme: &str, rest: &str) -> Result<Self, Error> {
        let Hosts { login, hosts, tail } = Hosts::split(rest)?;
        let sentinels = addresses(hosts, SENTINEL_PORT)?;
        let mut url = parse(scheme, &format!("{login}{}{tail}", first(hosts)))?;
        let options = UrlOptions::take(&mut url, &["sentinel_user", "sentinel_pass"])?;
        let path = url.path().trim_start_matches('/').to_owned();
        let (master_name, database) = path.split_once('/').unwrap_or((&path, ""));
        let master_name =
            percent_decoded(master_name).filter(|name| !name.is_empty()).ok_or_else(unusable)?;
        url.set_path(database);
        Self::new(UrlKind::Sentinel { sentinels, master_name }, url, options)
    }

    fn new(kind: UrlKind, url: Url, options: UrlOptions) -> Result<Self, Error> {
        if cfg!(not(feature = "tls")) && url.scheme() == "rediss" {
            return Err(Error::config(
                "rediss:// uses TLS, which needs the feature `tls` of session-runtime",
            ));
        }
        let info = url.into_connection_info().map_err(|_| unusable())?;
        let given = info.redis_settings();
        let login = Credentials::new(given.username(), given.password())?;
        Ok(Self { kind, info, login, options })
    }
}

impl UrlOptions {
    /// Takes the known parameters out of the URL.
    ///
    /// # Errors
    ///
    /// - An unknown parameter that is not in `others` either. Ignoring a misspelled parameter could
    ///   be dangerous.
    /// - A repeated parameter, because the first or the second would be ignored.
    /// - A `+`. Forms write a space like this, but a pasted password means the plus sign.
    fn take(url: &mut Url, others: &[&str]) -> Result<Self, Error> {
        if url.query().is_some_and(|query| query.contains('+')) {
            return Err(Error::config(
                "the Redis URL cannot be used: write a `+` in its parameters as %2B, and a space \
                 as %20",
            ));
        }
        let mut options = Self::default();
        let (mut sentinel_user, mut sentinel_password) = (None, None);
        let mut given = BTreeSet::new();
        for (name, value) in url.query_pairs() {
            if !given.insert(name.clone()) {
                return Err(bad_parameter());
            }
            let value = value.into_owned();
            match &*name {
                "connections" => {
                    options.connections = Some(value.parse().map_err(|_| bad_parameter())?)
                }
                "ca" | "cert" | "key" | "server_name" if cfg!(not(feature = "tls")) => {
                    return Err(Error::config(
                        "certificates in the Redis URL need the feature `tls` of session-runtime",
                    ));
                }
                "ca" => options.ca = Some(value),
                "cert" => options.certificate = Some(value),
                "key" => options.key = Some(value),
                "server_name" => options.server_name = Some(value),
                "sentinel_user" if others.contains(&"sentinel_user") => sentinel_user = Some(value),
                "sentinel_pass" if others.contains(&"sentinel_pass") => {
                    sentinel_password = Some(value)
                }
                other if others.contains(&other) => {}
                _ => return Err(bad_parameter()),
            }
        }
        url.set_query(None);
        options.sentinel_login =
            Credentials::new(sentinel_user.as_deref(), sentinel_password.as_deref())?;
        Ok(options)
    }
}

fn bad_parameter() -> Error {
    Error::config(
        "the Redis URL cannot be used: it accepts these parameters, each once: connections=NUMBER; \
         with TLS also ca=FILE, cert=FILE, key=FILE and server_name=HOST; with sentinels also \
         sentinel_user=… and sentinel_pass=…; with a socket db=…, user=… and pass=…. Write a \
         question mark in a password as %3F",
    )
}

/// The parts behind `://` of a URL with several hosts, which standard URLs do not support.
struct Hosts<'a> {
    /// The login with the final `@`, or empty.
    login: &'a str,
    hosts: &'a str,
    tail: &'a str,
}

impl<'a> Hosts<'a> {
    fn split(rest: &'a str) -> Result<Self, Error> {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (login, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        if hosts.is_empty() { Err(unusable()) } else { Ok(Self { login, hosts, tail }) }
    }
}

fn first(hosts: &str) -> &str {
    hosts.split(',').next().unwrap_or_default()
}

fn addresses(hosts: &str, default_port: u16) -> Result<Vec<Address>, Error> {
    let address = |host: &str| {
        let url = parse("redis", host)?;
        let name = match url.host() {
            // Without brackets, as the system's resolver expects.
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(unusable()),
        };
        Ok(Address { host: name, port: url.port().unwrap_or(default_port) })
    };
    hosts.split(',').map(address).collect()
}

fn parse(scheme: &str, rest: &str) -> Result<Url, Error> {
    Url::parse(&format!("{scheme}://{rest}"))
        .ok()
        .filter(|url| url.fragment().is_none())
        .ok_or_else(unusable)
}

fn percent_decoded(text: &str) -> Option<String> {
    // A path and a query use the same encoding, except for the plus sign.
    let query = format!("={}", text.replace('+', "%2B"));
    form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned())
}

fn unusable() -> Error {
    Error::config(USABLE_URLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server() {
        let url = RedisUrl::parse("REDIS://user:p%40ss@example:7000/3?connections=4").unwrap();
        assert!(matches!(url.kind, UrlKind::Server));
        assert_eq!(url.info.addr().to_string(), "example:7000");
        assert_eq!(login(&url), (Some("user"), Some("p@ss"), 3));
        assert_eq!(url.options.connections, Some(4));
    }

    #[test]
    fn a_socket() {
        let url = RedisUrl::parse("redis+unix:///run/redis.sock?db=2&user=u&pass=p").unwrap();
        assert_eq!(url.info.addr().to_string(), "/run/redis.sock");
        assert_eq!(login(&url), (Some("u"), Some("p"), 2));
    }

    #[test]
    fn several_nodes_of_a_cluster() {
        let url = RedisUrl::parse("redis+cluster://:p@a,b:7001,[::1]:7002").unwrap();
        let UrlKind::Cluster { nodes } = &url.kind else { panic!("it is a cluster") };
        assert_eq!(shown(nodes), ["a:6379", "b:7001", "::1:7002"]);
        assert_eq!(login(&url), (None, Some("p"), 0));
        assert!(RedisUrl::parse("redis+cluster://a/1").is_err());
    }

    #[test]
    fn several_sentinels_of_a_master() {
        let url = "redis+sentinel://u:p@a,b:7001/my%20master/2?sentinel_user=s&sentinel_pass=q&\
                   connections=2";
        let url = RedisUrl::parse(url).unwrap();
        let UrlKind::Sentinel { sentinels, master_name } = &url.kind else {
            panic!("they are sentinels")
        };
        assert_eq!(shown(sentinels), ["a:26379", "b:7001"]);
        assert_eq!(master_name, "my master");
        assert_eq!(login(&url), (Some("u"), Some("p"), 2));
        let UrlOptions { sentinel_login, connections, .. } = url.options;
        assert_eq!((sentinel_login.user(), sentinel_login.password()), (Some("s"), Some("q")));
        assert_eq!(connections, Some(2));
    }

    #[test]
    fn a_user_without_a_password_is_that_user_in_every_form() {
        for url in [
            "redis://app@a",
            "redis://app:@a",
            "redis+unix:///run/redis.sock?user=app",
            "redis+unix:///run/redis.sock?user=app&pass=",
            "redis+cluster://app@a,b",
            "redis+cluster://app:@a,b",
            "redis+sentinel://app@a,b/master",
            "redis+sentinel://app:@a,b/master",
        ] {
            assert_eq!(login(&RedisUrl::parse(url).unwrap()), (Some("app"), Some(""), 0), "{url}");
        }
        let sentinels =
            RedisUrl::parse("redis+sentinel://a/m?sentinel_user=s").unwrap().options.sentinel_login;
        assert_eq!((sentinels.user(), sentinels.password()), (Some("s"), Some("")));
    }

    #[test]
    fn pasted_urls_are_not_changed_silently() {
        for (url, says) in [
            ("redis+unix:///s?pass=HUN+TER2", "%2B"),
            ("redis+sentinel://a/m?sentinel_pass=HUN+TER2", "%2B"),
            ("redis://a?ca=/HUN+TER2.pem", "%2B"),
            ("redis://app:12?TER2@a", "%3F"),
            ("redis://:HUN\nTER2@a", "line break"),
            ("redis+cluster://:HUNTER2@a,\r\nb", "line break"),
            ("redis://:HUNTER2%0A@a", "line break"),
            ("redis+unix:///s?pass=HUNTER2%0D", "line break"),
        ] {
            let Err(error) = RedisUrl::parse(url) else { panic!("{url} was taken") };
            let told = format!("{error} {error:?}");
            assert!(error.is_config() && told.contains(says) && !told.contains("TER2"), "{told}");
        }
        let url = RedisUrl::parse("redis+unix:///s?pass=a%2Bb%20c").unwrap();
        assert_eq!(login(&url), (None, Some("a+b c"), 0));
        assert_eq!(login(&RedisUrl::parse("redis://:a+b@h").unwrap()), (None, Some("a+b"), 0));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_in_every_form() {
        for url in [
            "rediss://a?ca=/ca.pem",
            "rediss+cluster://a,b?ca=/ca.pem",
            "rediss+sentinel://a/m?ca=/ca.pem",
        ] {
            let url = &format!("{url}&server_name=b");
            let url = RedisUrl::parse(url).unwrap();
            assert!(matches!(
                url.info.addr(),
                redis::ConnectionAddr::TcpTls { insecure: false, .. }
            ));
            assert_eq!(url.options.ca.as_deref(), Some("/ca.pem"));
            assert_eq!(url.options.server_name.as_deref(), Some("b"));
        }
    }

    #[test]
    fn invalid_urls_are_refused_without_quoting_them() {
        for url in [
            "",
            "HUNTER2",
            "redis:HUNTER2",
            "redis://",
            "redis://:HUNTER2@",
            "redis://a/HUNTER2",
            "redis://:HUNTER2@a:port",
            "redis://a#HUNTER2",
            "redis://a?HUNTER2=1",
            "redis://a?connections=HUNTER2",
            "redis://a?sentinel_pass=HUNTER2",
            "redis://a?connections=1&connections=2",
            "redis+unix:///s?user=app&user=HUNTER2",
            "redis+sentinel://a/m?sentinel_user=s&sentinel_user=HUNTER2",
            "redis+unix://HUNTER2@localhost/s",
            "redis+unix://:HUNTER2@localhost/s",
            "redis+unix://app:HUNTER2@localhost/s?user=app",
            "rediss://:HUNTER2@a#insecure",
            "rediss+unix:///HUNTER2",
            "redis+cluster://:HUNTER2@",
            "redis+cluster://HUNTER2,,b",
            "redis+sentinel://:HUNTER2@a",
            "redis+sentinel://a/m/HUNTER2",
            "redis+nonsense://HUNTER2",
            "http://HUNTER2",
        ] {
            let Err(error) = RedisUrl::parse(url) else { panic!("{url} was taken") };
            assert!(error.is_config());
            let told = format!("{error} {error:?}");
            assert!(told.contains("Redis") && !told.contains("HUNTER2"), "{told}");
        }
    }

    fn login(url: &RedisUrl) -> (Option<&str>, Option<&str>, i64) {
        (url.login.user(), url.login.password(), url.info.redis_settings().db())
    }

    fn shown(addresses: &[Address]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }
}
