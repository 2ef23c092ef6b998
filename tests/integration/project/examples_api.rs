//! `examples/api`, started as a user would and called without a cookie store.

use reqwest::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, WWW_AUTHENTICATE,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use session_tests::example::Example;
use session_tests::jar::Jar;
use session_tests::server::RedisServer;
use session_tests::websocket::Connection;

const TOKEN_HEADER: &str = "session-token";

/// A mobile application, which keeps the token as the guide says.
#[derive(Clone)]
struct Phone {
    url: String,
    token: Option<String>,
}

impl Phone {
    fn new(example: &Example) -> Self {
        Self { url: example.url().to_owned(), token: None }
    }

    async fn signed_in(example: &Example, user: &str) -> Self {
        let mut phone = Self::new(example);
        assert_eq!(phone.post("/api/login", &login(user)).await.status(), 200);
        phone
    }

    async fn get(&mut self, path: &str) -> Response {
        self.send(client().get(format!("{}{path}", self.url))).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Response {
        self.send(client().post(format!("{}{path}", self.url)).json(body)).await
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Response {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        if let Some(token) = response.headers().get(TOKEN_HEADER) {
            self.token = Some(token.to_str().unwrap().to_owned()).filter(|token| !token.is_empty());
        }
        response
    }

    async fn user(&mut self) -> Result<String, u16> {
        let response = self.get("/api/me").await;
        match response.status().as_u16() {
            200 => Ok(json_of(response).await["user"].as_str().unwrap().to_owned()),
            refused => Err(refused),
        }
    }

    /// Returns the path of a WebSocket with a new ticket.
    async fn live(&mut self) -> String {
        let ticket = json_of(self.post("/api/ticket", &Value::Null).await).await;
        format!("/live?ticket={}", ticket["ticket"].as_str().unwrap())
    }
}

/// Returns a client that keeps no cookies and follows no redirects.
fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn json_of(response: Response) -> Value {
    response.json().await.unwrap()
}

fn login(user: &str) -> Value {
    json!({ "name": user, "password": "an example" })
}

fn new_password() -> Value {
    json!({ "password": "an example", "new_password": "another" })
}

/// Signs a browser in with the form, and returns its cookies.
async fn browser(example: &Example, user: &str) -> Jar {
    let mut jar = Jar::default();
    let request = client().post(format!("{}/login", example.url()));
    let form = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = jar.send(form.body(format!("name={user}&password=an+example"))).await;
    assert_eq!(response.status(), 303);
    assert!(response.headers().contains_key(SET_COOKIE), "{response:?}");
    assert!(!response.headers().contains_key(TOKEN_HEADER), "{response:?}");
    jar
}

async fn is_signed_in(example: &Example, browser: &mut Jar) -> bool {
    browser.send(client().get(example.url())).await.status() == 200
}

#[tokio::test]
async fn api_gives_a_token_for_the_password_and_replaces_it() {
    let example = Example::start("api", &[]);
    let mut phone = Phone::new(&example);
    assert_eq!(phone.user().await, Err(401));
    let wrong = json!({ "name": "ada", "password": "another" });
    assert_eq!(phone.post("/api/login", &wrong).await.status(), 403);
    assert_eq!(phone.token, None);

    let response = phone.post("/api/login", &login("ada")).await;
    assert!(!response.headers().contains_key(SET_COOKIE), "{response:?}");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(json_of(response).await["token"].as_str(), phone.token.as_deref());
    let response = phone.get("/api/me").await;
    assert!(!response.headers().contains_key(TOKEN_HEADER), "{response:?}");
    assert_eq!(json_of(response).await, json!({ "user": "ada" }));

    let mut other = Phone::signed_in(&example, "ada").await;
    let mut grace = Phone::signed_in(&example, "grace").await;
    let mut laptop = browser(&example, "ada").await;
    let mut former = phone.clone();
    let wrong = json!({ "password": "another", "new_password": "an example" });
    assert_eq!(phone.post("/api/password", &wrong).await.status(), 403);
    assert_eq!(phone.token, former.token);
    assert_eq!(phone.post("/api/password", &new_password()).await.status(), 204);
    assert_ne!(phone.token, former.token);
    assert_eq!((former.user().await, phone.user().await), (Err(401), Ok("ada".into())));
    // The user's other sessions have ended.
    assert_eq!((other.user().await, grace.user().await), (Err(401), Ok("grace".into())));
    assert!(!is_signed_in(&example, &mut laptop).await);

    let mut ended = phone.clone();
    assert_eq!(phone.post("/api/logout", &Value::Null).await.status(), 204);
    assert_eq!((phone.token.as_deref(), ended.user().await), (None, Err(401)));
    let refused = ended.get("/api/me").await;
    assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Bearer");
    assert_eq!(json_of(refused).await, json!({ "error": "sign in" }));
}

#[tokio::test]
async fn api_keeps_cookies_and_tokens_apart() {
    let example = Example::start("api", &[]);
    let mut laptop = browser(&example, "ada").await;
    let mut phone = Phone::signed_in(&example, "grace").await;
    let me = || client().get(format!("{}/api/me", example.url()));
    // A cookie alone is no access to the API: another site could cause such requests, and browsers
    // add `Basic` on their own.
    assert_eq!(laptop.send(me()).await.status(), 401);
    let logout = || client().post(format!("{}/api/logout", example.url()));
    assert_eq!(laptop.send(logout().basic_auth("ada", Some("x"))).await.status(), 401);
    assert!(is_signed_in(&example, &mut laptop).await);
    let (name, value) =
        laptop.header().split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap();
    assert_eq!(me().bearer_auth(&value).send().await.unwrap().status(), 401);
    let token = phone.token.clone().unwrap();
    let home = client().get(example.url()).header(COOKIE, format!("{name}={token}"));
    assert_eq!(home.send().await.unwrap().status(), 303);
    // Beside a token, the cookies are ignored and stay.
    let both = laptop.send(me().bearer_auth(&token)).await;
    assert!(!both.headers().contains_key(SET_COOKIE), "{both:?}");
    assert_eq!(json_of(both).await["user"], "grace");
    assert_eq!(laptop.send(logout().bearer_auth(&token)).await.status(), 204);
    assert!(is_signed_in(&example, &mut laptop).await);
    assert_eq!(phone.user().await, Err(401));
    // A login for a token takes the session of the cookie along.
    let sign_in = client().post(format!("{}/api/login", example.url())).json(&login("ada"));
    let response = laptop.send(sign_in).await;
    assert!(!response.headers().contains_key(SET_COOKIE), "{response:?}");
    assert!(response.headers().contains_key(TOKEN_HEADER), "{response:?}");
    assert!(!is_signed_in(&example, &mut laptop).await);
}

#[tokio::test]
async fn api_ends_with_the_expiry_in_the_store() {
    let server = RedisServer::start();
    let secret = ("SESSION_SECRET", session_tests::cookies::SECRET);
    let example = Example::start("api", &[("SESSION_REDIS", &server.url()), secret]);
    let mut phone = Phone::signed_in(&example, "ada").await;
    let live = phone.live().await;
    let ticket = key_with(&server, "tickets:sessions:{*", "owner");
    assert!((1..=30_000).contains(&server.cli::<i64>(&["PTTL", &ticket])), "{ticket}");
    assert!(server.cli::<bool>(&["PEXPIRE", &ticket, "0"]));
    assert_eq!(Connection::attempt(example.url(), &live).await.err(), Some(401));

    let session = key_with(&server, "app:sessions:{*", "user");
    assert!(server.cli::<bool>(&["PEXPIRE", &session, "0"]));
    assert_eq!(phone.user().await, Err(401));
}

/// Returns the key of the session with a field. The store also has keys of the checks at the start.
fn key_with(server: &RedisServer, pattern: &str, field: &str) -> String {
    let keys: Vec<String> = server.cli(&["KEYS", pattern]);
    let has_field = |key: &String| server.try_cli(&["HEXISTS", key, field]).unwrap_or(false);
    let mut found = keys.into_iter().filter(has_field);
    let (key, None) = (found.next().unwrap(), found.next()) else { panic!("two keys") };
    key
}

#[tokio::test]
async fn api_allows_one_other_origin_and_exposes_the_token() {
    let allowed = "https://app.example";
    let example = Example::start("api", &[("ALLOWED_ORIGIN", allowed)]);
    let preflight = |origin: &str| {
        let request = client().request(Method::OPTIONS, format!("{}/api/me", example.url()));
        let request = request.header(ORIGIN, origin).header(ACCESS_CONTROL_REQUEST_METHOD, "GET");
        request.header(ACCESS_CONTROL_REQUEST_HEADERS, "authorization").send()
    };
    let response = preflight(allowed).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], allowed);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "authorization,content-type");
    let response = preflight("https://evil.example").await.unwrap();
    assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{response:?}");

    let mut phone = Phone::new(&example);
    let sign_in = client().post(format!("{}/api/login", example.url())).json(&login("ada"));
    // Browsers say this, and get a session all the same: a token replaces no cookie.
    let sign_in = sign_in.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "cors");
    let response = phone.send(sign_in.header(ORIGIN, allowed)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], allowed);
    assert_eq!(response.headers()[ACCESS_CONTROL_EXPOSE_HEADERS], TOKEN_HEADER);
    assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS), "{response:?}");
    assert_eq!(phone.user().await, Ok("ada".into()));
}

#[tokio::test]
async fn api_opens_one_connection_for_a_ticket() {
    let example = Example::start("api", &[]);
    let mut phone = Phone::signed_in(&example, "ada").await;
    let live = phone.live().await;
    let attempt = |path: &str| {
        let (url, path) = (example.url().to_owned(), path.to_owned());
        async move { Connection::attempt(&url, &path).await }
    };
    // A request that is no WebSocket does not use the ticket.
    assert_eq!(phone.get(&live).await.status(), 400);
    let tries = futures::future::join_all([(); 8].map(|()| attempt(&live))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|refused| matches!(refused, Err(401))), "{refused:?}");
    let [Ok(connection)] = &mut Vec::from_iter(opened)[..] else { panic!("{refused:?}") };
    assert_eq!(connection.say("hello").await, "ada: hello");
    assert_eq!(attempt(&live).await.err(), Some(401));

    // Neither a forged ticket nor the token opens a connection.
    let token = phone.token.clone().unwrap();
    let id = token.split('.').next().unwrap();
    let unknown = live.replace(live.split_at(live.len() - 5).1, "AAAAA");
    for forged in
        [&unknown, "/live?ticket=", &format!("/live?ticket={token}"), &format!("/live?ticket={id}")]
    {
        assert_eq!(attempt(forged).await.err(), Some(401), "{forged}");
    }
    assert_eq!(attempt("/live").await.err(), Some(400));

    // The new id of the session is an end of the connection, and of the tickets from before.
    let before = phone.live().await;
    assert_eq!(phone.post("/api/password", &new_password()).await.status(), 204);
    assert_eq!(connection.close_code().await, 1012);
    assert_eq!(attempt(&before).await.err(), Some(401));
    let mut connection = attempt(&phone.live().await).await.unwrap();
    let before = phone.live().await;
    phone.post("/api/logout", &Value::Null).await;
    assert_eq!(connection.close_code().await, 1008);
    assert_eq!(attempt(&before).await.err(), Some(401));
}
