//! Bearer tokens in the requests of hostile and unusual clients, byte by byte over HTTP.

use std::net::Ipv4Addr;
use std::time::SystemTime;

use actix_web::{HttpRequest, web};
use axum::Router;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::get;
use poem::{Endpoint, EndpointExt, Route, handler};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{Error, Lifetime, MemoryStore, Session, SessionConfig, Sessions, Transport};
use session_tests::cookies::{self, NAME, OTHER_SECRET, SECRET, id_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Visitor, count, look};

/// The headers that a handler of the program sets itself.
const OWN: [(&str, &str); 2] = [("session-token", "own"), ("vary", "Accept")];

#[tokio::test]
async fn axum_reads_one_token_and_no_other() {
    reads_one_token_and_no_other(Framework::Axum).await;
}

#[tokio::test]
async fn actix_reads_one_token_and_no_other() {
    reads_one_token_and_no_other(Framework::Actix).await;
}

#[tokio::test]
async fn poem_reads_one_token_and_no_other() {
    reads_one_token_and_no_other(Framework::Poem).await;
}

#[tokio::test]
async fn axum_issues_a_token_in_its_header_alone() {
    issues_a_token_in_its_header_alone(Framework::Axum).await;
}

#[tokio::test]
async fn actix_issues_a_token_in_its_header_alone() {
    issues_a_token_in_its_header_alone(Framework::Actix).await;
}

#[tokio::test]
async fn poem_issues_a_token_in_its_header_alone() {
    issues_a_token_in_its_header_alone(Framework::Poem).await;
}

/// The session that a handler saw, and the use of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// No session, and the store got nothing.
    Junk,
    /// No session, although the store was asked.
    Unknown,
    /// The session with this count.
    Session(u64),
}
use Seen::{Junk, Session as Found, Unknown};

type Header = (&'static str, Vec<u8>);
type Row = (&'static str, Vec<Header>, Seen);

/// Behaviours: one token, token or cookie, own header for tokens.
async fn reads_one_token_and_no_other(framework: Framework) {
    let stored = Stored::new().await;
    for (transport, vary, rows) in [
        (Transport::Bearer, "vary: Authorization", stored.bearer_rows()),
        (Transport::CookieOrBearer, "vary: Cookie, Authorization", stored.either_rows()),
        (Transport::Cookie, "vary: Cookie", stored.cookie_rows()),
    ] {
        let program = framework.serve(stored.sessions(transport, |config| config)).await;
        for row in rows {
            stored.check(&program, vary, row).await;
        }
    }
    let named = |config: SessionConfig| config.token_header("X-Session-Token");
    let program = framework.serve(stored.sessions(Transport::Bearer, named)).await;
    for row in stored.named_rows() {
        stored.check(&program, "vary: x-session-token", row).await;
    }
}

/// Sessions with known tokens and cookies.
struct Stored {
    store: FailingStore,
    /// The token of the session with the count 1.
    token: String,
    /// The token of the session with the count 2.
    second: String,
    /// The session with the count 3, as `NAME=VALUE` of a cookie.
    cookie: String,
    /// The id of a session in the store, and tokens for it that the programs do not accept.
    id: String,
    removed: String,
    of_another_name: String,
}

impl Stored {
    async fn new() -> Self {
        let store = FailingStore::new(MemoryStore::new());
        let begin = async |count, configure: fn(SessionConfig) -> SessionConfig| {
            let sessions = sessions_on(&store, Transport::Bearer, configure);
            let handle = sessions.open([]);
            let session = handle.session::<Visitor>();
            session.set_count(count).await.unwrap();
            session.token().await.unwrap().unwrap().expose_secret().to_owned()
        };
        let token = begin(1, |config| config).await;
        let third = id_of(&begin(3, |config| config).await);
        assert_eq!(token, cookies::token(&id_of(&token)), "the documented format");
        Self {
            second: begin(2, |config| config).await,
            cookie: cookies::cookie(&third),
            id: id_of(&token),
            removed: begin(4, |config| config.secret(OTHER_SECRET)).await,
            of_another_name: begin(5, |config| config.cookie_name("admin")).await,
            token,
            store,
        }
    }

    fn sessions(
        &self,
        transport: Transport,
        configure: impl FnOnce(SessionConfig) -> SessionConfig,
    ) -> Sessions {
        sessions_on(&self.store, transport, configure)
    }

    /// Sends the request of a row twice: first while every use of the store fails.
    async fn check(&self, program: &Program, vary: &str, (what, request, seen): Row) {
        self.store.fail(Failure::Unavailable);
        let without_store = program.send("/look", &request).await;
        self.store.recover();
        let reply = program.send("/look", &request).await;
        let (status, count, cache_control) = match seen {
            Junk => (200, 0, None),
            Unknown => (503, 0, None),
            Found(count) => (503, count, Some("cache-control: private")),
        };
        assert_eq!(without_store.status, status, "{what}: is the store asked?");
        assert_eq!((reply.status, &*reply.body), (200, &*count.to_string()), "{what}");
        let expected = [cache_control, Some(vary)].into_iter().flatten();
        assert_eq!(reply.of_session(), expected.collect::<Vec<_>>(), "{what}");
    }

    fn bearer_rows(&self) -> Vec<Row> {
        let Self { token, second, cookie, id, removed, of_another_name, .. } = self;
        let cookie_value = cookie.split_once('=').unwrap().1;
        let unknown = cookies::token(&cookies::id(SystemTime::now(), 0));
        let mut rows = vec![
            ("nothing", vec![], Junk),
            ("a live token", vec![bearer(token)], Found(1)),
            ("lower case", vec![authorization(format!("bearer {token}"))], Found(1)),
            ("upper case", vec![authorization(format!("BEARER {token}"))], Found(1)),
            ("a tab", vec![authorization(format!("Bearer\t{token}"))], Found(1)),
            ("spaces", vec![authorization(format!("  Bearer    {token}  "))], Found(1)),
            ("the same twice", vec![bearer(token), bearer(token)], Found(1)),
            ("Basic in front", vec![basic(), bearer(token)], Found(1)),
            ("Basic behind", vec![bearer(token), basic()], Found(1)),
            ("the cookie of another", vec![bearer(token), cookie_of(cookie)], Found(1)),
            ("Basic", vec![basic()], Junk),
            ("no scheme", vec![authorization(token)], Junk),
            ("no space", vec![authorization(format!("Bearer{token}"))], Junk),
            ("another scheme", vec![authorization(format!("Token {token}"))], Junk),
            ("the scheme", vec![authorization("Bearer")], Junk),
            ("the scheme and a space", vec![authorization("Bearer ")], Junk),
            ("an empty header", vec![authorization("")], Junk),
            ("two tokens", vec![bearer(token), bearer(second)], Junk),
            ("two tokens, the other first", vec![bearer(second), bearer(token)], Junk),
            ("two tokens and Basic", vec![bearer(token), basic(), bearer(second)], Junk),
            ("a list", vec![authorization(format!("Bearer {token}, Bearer {second}"))], Junk),
            ("a list of the same", vec![bearer(&format!("{token}, {token}"))], Junk),
            ("an empty token beside", vec![authorization("Bearer"), bearer(token)], Junk),
            ("an empty token behind", vec![bearer(token), authorization("Bearer")], Junk),
            ("quotes", vec![bearer(&format!("\"{token}\""))], Junk),
            ("a parameter", vec![bearer(&format!("{token};a=b"))], Junk),
            ("a pair", vec![bearer(&format!("{NAME}={token}"))], Junk),
            ("10 kB", vec![bearer(&"x".repeat(10 * 1024))], Junk),
            ("10 kB in front", vec![bearer(&format!("{}{token}", "x".repeat(10 * 1024)))], Junk),
            ("no UTF-8", vec![authorization(b"Bearer \xff\xfe")], Junk),
            (
                "no UTF-8 behind",
                vec![authorization([&b"Bearer "[..], token.as_bytes(), b"\xff"].concat())],
                Junk,
            ),
            ("no UTF-8 as the scheme", vec![authorization(b"\xff\xff\xff\xff\xff\xff x")], Junk),
            ("patterns", vec![bearer("*?[]{}")], Junk),
            ("a path", vec![bearer("../../etc")], Junk),
            ("a cookie's value", vec![bearer(cookie_value)], Junk),
            ("the cookie", vec![cookie_of(cookie)], Junk),
            ("a token in the cookie", vec![cookie_of(&format!("{NAME}={token}"))], Junk),
            ("a removed secret", vec![bearer(removed)], Junk),
            ("another cookie name", vec![bearer(of_another_name)], Junk),
            ("an id without a signature", vec![bearer(id)], Junk),
            ("an empty signature", vec![bearer(&format!("{id}."))], Junk),
            ("a signature of zeros", vec![bearer(&format!("{id}.{}", "A".repeat(43)))], Junk),
            ("the signature of another", vec![bearer(&spliced(token, second))], Junk),
            ("an unknown id", vec![bearer(&unknown)], Unknown),
            ("the response header", vec![("session-token", token.clone().into_bytes())], Junk),
            ("a proxy's header", vec![("proxy-authorization", bearer(token).1)], Junk),
        ];
        let forged = [0, 8, 15, 16, 39, 40, 41, 60, token.len() - 1];
        rows.extend(forged.map(|at| ("forged", vec![bearer(&changed(token, at))], Junk)));
        rows
    }

    fn either_rows(&self) -> Vec<Row> {
        let Self { token, second, cookie, .. } = self;
        let cookie_value = cookie.split_once('=').unwrap().1;
        let third = || cookie_of(cookie);
        vec![
            ("nothing", vec![], Junk),
            ("a cookie", vec![third()], Found(3)),
            ("a token", vec![bearer(token)], Found(1)),
            ("both", vec![third(), bearer(token)], Found(1)),
            ("both, the other way round", vec![bearer(token), third()], Found(1)),
            ("Basic and a cookie", vec![basic(), third()], Found(3)),
            ("an empty header and a cookie", vec![authorization(""), third()], Found(3)),
            ("Basic, a token and a cookie", vec![basic(), bearer(token), third()], Found(1)),
            ("a forged token and a cookie", vec![bearer(&changed(token, 50)), third()], Junk),
            ("an empty token and a cookie", vec![authorization("Bearer"), third()], Junk),
            ("two tokens and a cookie", vec![bearer(token), bearer(second), third()], Junk),
            ("a cookie's value", vec![bearer(cookie_value)], Junk),
            ("a token in the cookie", vec![cookie_of(&format!("{NAME}={token}"))], Junk),
        ]
    }

    fn cookie_rows(&self) -> Vec<Row> {
        let Self { token, cookie, .. } = self;
        vec![
            ("a token", vec![bearer(token)], Junk),
            ("both", vec![cookie_of(cookie), bearer(token)], Found(3)),
            ("a token in the cookie", vec![cookie_of(&format!("{NAME}={token}"))], Junk),
        ]
    }

    /// The header `X-Session-Token` has tokens.
    fn named_rows(&self) -> Vec<Row> {
        let Self { token, second, .. } = self;
        let named = |name: &'static str, token: &str| (name, token.as_bytes().to_vec());
        vec![
            ("nothing", vec![], Junk),
            ("a token", vec![named("X-Session-Token", token)], Found(1)),
            ("upper case", vec![named("X-SESSION-TOKEN", token)], Found(1)),
            ("lower case", vec![named("x-session-token", token)], Found(1)),
            (
                "twice, in two cases",
                vec![named("x-session-token", token), named("X-Session-Token", token)],
                Found(1),
            ),
            (
                "a token of another service",
                vec![bearer(second), named("X-Session-Token", token)],
                Found(1),
            ),
            ("Authorization", vec![bearer(token)], Junk),
            ("a scheme", vec![named("X-Session-Token", &format!("Bearer {token}"))], Junk),
            ("an empty header", vec![named("X-Session-Token", "")], Junk),
            (
                "two tokens",
                vec![named("X-Session-Token", token), named("X-Session-Token", second)],
                Junk,
            ),
        ]
    }
}

/// Each line has a request, and the count and the session's headers of the response.
///
/// Behaviours: new token, tokens stay private.
async fn issues_a_token_in_its_header_alone(framework: Framework) {
    let stored = Stored::new().await;
    let Stored { token, cookie, removed, .. } = &stored;
    let cookie_value = cookie.split_once('=').unwrap().1;
    let unknown = cookies::token(&cookies::id(SystemTime::now(), 0));
    let bearer_only = framework.serve(stored.sessions(Transport::Bearer, |config| config)).await;
    let either = framework.serve(stored.sessions(Transport::CookieOrBearer, |config| config)).await;
    let older = |config: SessionConfig| config.secret(format!("{SECRET},{OTHER_SECRET}"));
    let older = framework.serve(stored.sessions(Transport::Bearer, older)).await;
    let interchangeable = |config: SessionConfig| config.interchangeable_transports(true);
    let interchangeable =
        framework.serve(stored.sessions(Transport::CookieOrBearer, interchangeable)).await;
    let named = |config: SessionConfig| config.token_response_header("X-New-Token");
    let named = framework.serve(stored.sessions(Transport::Bearer, named)).await;

    let (new, over) = ("session-token: NEW", "session-token: ");
    let (no_store, private) = ("cache-control: no-store", "cache-control: private");
    let (vary, both) = ("vary: Authorization", "vary: Cookie, Authorization");
    for (program, path, request, body, headers) in [
        (&bearer_only, "/count", vec![], "1", vec![no_store, new, vary]),
        (&bearer_only, "/count", vec![cookie_of(cookie)], "1", vec![no_store, new, vary]),
        (&bearer_only, "/count", vec![bearer(&changed(token, 50))], "1", vec![no_store, new, vary]),
        (&bearer_only, "/count", vec![bearer(&unknown)], "1", vec![no_store, new, vary]),
        (&bearer_only, "/count", vec![bearer(token)], "2", vec![private, vary]),
        (&bearer_only, "/ignore", vec![bearer(token)], "", vec![]),
        (&either, "/count", vec![], "1", vec![no_store, "set-cookie: NEW", both]),
        (&either, "/count", vec![cookie_of(cookie)], "4", vec![private, both]),
        (&either, "/count", vec![bearer(token)], "3", vec![private, both]),
        (&either, "/count", vec![bearer("x")], "1", vec![no_store, new, both]),
        (&older, "/look", vec![bearer(removed)], "4", vec![no_store, new, vary]),
        (&older, "/look", vec![bearer(token)], "3", vec![private, vary]),
        (&interchangeable, "/look", vec![bearer(cookie_value)], "4", vec![no_store, new, both]),
        (
            &interchangeable,
            "/look",
            vec![cookie_of(&format!("{NAME}={token}"))],
            "3",
            vec![no_store, "set-cookie: NEW", both],
        ),
        (&named, "/count", vec![], "1", vec![no_store, vary, "x-new-token: NEW"]),
        (
            &bearer_only,
            "/own/look",
            vec![bearer(token)],
            "3",
            vec![private, "session-token: own", "vary: Accept, Authorization"],
        ),
        (
            &bearer_only,
            "/own/count",
            vec![],
            "1",
            vec![no_store, new, "vary: Accept, Authorization"],
        ),
        (&bearer_only, "/renew", vec![bearer(&stored.second)], "2", vec![no_store, new, vary]),
        (&bearer_only, "/look", vec![bearer(&stored.second)], "0", vec![vary]),
        (&bearer_only, "/end", vec![bearer(token)], "", vec![no_store, over, vary]),
        (&bearer_only, "/end", vec![bearer(&unknown)], "", vec![no_store, over, vary]),
        (&bearer_only, "/end", vec![], "", vec![vary]),
    ] {
        let sent = request.iter().map(|(name, value)| (*name, String::from_utf8_lossy(value)));
        let sent = format!("{path} {:?}", sent.collect::<Vec<_>>());
        let reply = program.send(path, &request).await;
        assert_eq!((reply.status, &*reply.body), (200, body), "{sent}");
        assert_eq!(reply.of_session(), headers, "{sent}");
        if let Some(issued) = reply.header("session-token").filter(|token| token.len() > 3) {
            assert_ne!(id_of(issued), id_of(&unknown), "an unknown id is never adopted");
            let again = program.send("/look", &[bearer(issued)]).await;
            assert_eq!(again.body, body, "the new token opens the session: {sent}");
        }
    }
    let twice = [bearer(token), basic(), ("x-other", b"1".to_vec())];
    let shown = bearer_only.send("/show", &twice).await.body;
    assert_eq!(shown, r#"[Sensitive, Sensitive] ["1"]"#, "a log does not show tokens");
}

fn sessions_on(
    store: &FailingStore,
    transport: Transport,
    configure: impl FnOnce(SessionConfig) -> SessionConfig,
) -> Sessions {
    let config = configure(SessionConfig::new().secret(SECRET).transport(transport));
    Sessions::with_store(config, store.clone()).unwrap()
}

fn authorization(value: impl AsRef<[u8]>) -> Header {
    ("Authorization", value.as_ref().to_vec())
}

fn bearer(token: &str) -> Header {
    authorization(format!("Bearer {token}"))
}

fn basic() -> Header {
    authorization("Basic dXNlcjpwYXNz")
}

fn cookie_of(pair: &str) -> Header {
    ("Cookie", pair.as_bytes().to_vec())
}

/// Returns the token with another character at this place.
fn changed(token: &str, at: usize) -> String {
    let other = if &token[at..=at] == "A" { "B" } else { "A" };
    [&token[..at], other, &token[at + 1..]].concat()
}

/// Returns the id of one token with the signature of another.
fn spliced(id_of: &str, signed_as: &str) -> String {
    let (id, signature) = (id_of.split_once('.').unwrap().0, signed_as.split_once('.').unwrap().1);
    format!("{id}.{signature}")
}

#[derive(Clone, Copy, Debug)]
enum Framework {
    Axum,
    Actix,
    Poem,
}

/// A running program.
struct Program {
    base: String,
    _served: Option<super::actix::Served>,
}

impl Framework {
    async fn serve(self, sessions: Sessions) -> Program {
        let (base, served) = match self {
            Self::Axum => (super::axum::serve(axum_app(&sessions)).await, None),
            Self::Poem => (super::poem::serve(poem_app(&sessions)).await, None),
            Self::Actix => {
                let served = super::actix::serve(move |app| actix_app(app, &sessions));
                (served.base.clone(), Some(served))
            }
        };
        Program { base, _served: served }
    }
}

async fn renew(session: Session<Visitor>) -> Result<String, Error> {
    session.renew(Lifetime::normal()).await?;
    look(session).await
}

async fn end(session: Session<Visitor>) -> Result<String, Error> {
    session.destroy().await.map(|()| String::new())
}

fn axum_app(sessions: &Sessions) -> Router {
    async fn own_look(session: Session<Visitor>) -> Result<impl IntoResponse, Error> {
        Ok((OWN, look(session).await?))
    }
    async fn own_count(session: Session<Visitor>) -> Result<impl IntoResponse, Error> {
        Ok((OWN, count(session).await?))
    }
    async fn show(headers: HeaderMap) -> String {
        let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        format!("{:?} {:?}", all("authorization"), all("x-other"))
    }
    Router::new()
        .route("/look", get(look))
        .route("/count", get(count))
        .route("/renew", get(renew))
        .route("/end", get(end))
        .route("/ignore", get(async || ()))
        .route("/own/look", get(own_look))
        .route("/own/count", get(own_count))
        .route("/show", get(show))
        .layer(sessions.layer())
}

fn actix_app(app: &mut web::ServiceConfig, sessions: &Sessions) {
    use actix_web::Responder;

    fn own(body: String) -> impl Responder {
        OWN.into_iter().fold(body.customize(), |response, header| response.append_header(header))
    }
    async fn own_look(session: Session<Visitor>) -> Result<impl Responder, Error> {
        Ok(own(look(session).await?))
    }
    async fn own_count(session: Session<Visitor>) -> Result<impl Responder, Error> {
        Ok(own(count(session).await?))
    }
    async fn show(request: HttpRequest) -> String {
        let all = |name| request.headers().get_all(name).collect::<Vec<_>>();
        format!("{:?} {:?}", all("authorization"), all("x-other"))
    }
    let routes = web::scope("")
        .route("/look", web::get().to(look))
        .route("/count", web::get().to(count))
        .route("/renew", web::get().to(renew))
        .route("/end", web::get().to(end))
        .route("/ignore", web::get().to(async || ""))
        .route("/own/look", web::get().to(own_look))
        .route("/own/count", web::get().to(own_count))
        .route("/show", web::get().to(show));
    app.service(routes.wrap(sessions.middleware()));
}

fn poem_app(sessions: &Sessions) -> impl Endpoint + use<> {
    #[handler]
    async fn look(session: Session<Visitor>) -> Result<String, Error> {
        super::look(session).await
    }
    #[handler]
    async fn count(session: Session<Visitor>) -> Result<String, Error> {
        super::count(session).await
    }
    #[handler]
    async fn renew(session: Session<Visitor>) -> Result<String, Error> {
        self::renew(session).await
    }
    #[handler]
    async fn end(session: Session<Visitor>) -> Result<String, Error> {
        self::end(session).await
    }
    #[handler]
    fn ignore() {}
    #[handler]
    fn show(headers: &HeaderMap) -> String {
        let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        format!("{:?} {:?}", all("authorization"), all("x-other"))
    }
    fn own(inner: impl Endpoint + 'static) -> impl Endpoint + 'static {
        inner.map_to_response().after(async |response: poem::Result<poem::Response>| {
            let mut response = response?;
            for (name, value) in OWN {
                response.headers_mut().append(name, value.parse().unwrap());
            }
            Ok(response)
        })
    }
    Route::new()
        .at("/look", look)
        .at("/count", count)
        .at("/renew", renew)
        .at("/end", end)
        .at("/ignore", ignore)
        .at("/own/look", own(look))
        .at("/own/count", own(count))
        .at("/show", show)
        .with(sessions.layer())
}

struct Reply {
    status: u16,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    body: String,
}

impl Program {
    /// Sends a `GET` with exactly these headers.
    async fn send(&self, path: &str, headers: &[Header]) -> Reply {
        let address = self.base.strip_prefix("http://").unwrap();
        let port = address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        let mut request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n").into_bytes();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        connection.write_all(&[&request, &b"\r\n"[..]].concat()).await.unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        };
        Reply { status, headers: lines.map(header).collect(), body: body.to_owned() }
    }
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Returns all headers that sessions may have, sorted. `NEW` stands for a value that the
    /// current secret signs for its transport.
    fn of_session(&self) -> Vec<String> {
        let others = ["content-length", "content-type", "date", "connection"];
        let told = |(name, value): &(String, String)| {
            let pair = value.split(';').next().unwrap();
            let is_new = match name.as_str() {
                "set-cookie" => pair == cookies::cookie(&id_of(pair)),
                "session-token" | "x-new-token" => *value == cookies::token(&id_of(value)),
                _ => false,
            };
            format!("{name}: {}", if is_new { "NEW" } else { value })
        };
        let of_session = self.headers.iter().filter(|(name, _)| !others.contains(&&**name));
        let mut told: Vec<_> = of_session.map(told).collect();
        told.sort_unstable();
        told
    }
}
