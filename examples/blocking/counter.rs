//! Counts the visits of each visitor without `async`, on tiny_http.
//!
//! ```sh
//! cargo run --example blocking_counter
//! ```
//!
//! A few threads serve the requests, and `wait` takes the place of `await`.

use std::error::Error as StdError;
use std::sync::Arc;
use std::thread;

use session_runtime::{Error, Session, Sessions};
use tiny_http::{Header, Request, Response, Server};

#[derive(Session)]
struct Visitor {
    count: u64,
}

fn index(session: &Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).wait()?;
    Ok(format!("count: {count}\n"))
}

fn serve(sessions: &Sessions, request: Request) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let cookies = request.headers().iter().filter(|header| header.field.equiv("Cookie"));
    let handle = sessions.open(cookies.map(|header| header.value.as_bytes()));
    handle.note_request(request.method().as_str(), |name| {
        request
            .headers()
            .iter()
            .find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(name))
            .map(|header| header.value.as_bytes())
    });
    let mut response = match index(&handle.session()) {
        Ok(page) => Response::from_string(page),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn StdError,
                "a session error was sent as the response"
            );
            Response::from_string("").with_status_code(error.status())
        }
    };
    // This response has no `Vary` or `Cache-Control` header of its own, so `pairs` gets an empty
    // list.
    for (name, value) in handle.finish().pairs([]) {
        response.add_header(Header::from_bytes(name, value).map_err(|()| "not a header")?);
    }
    request.respond(response)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn StdError + Send + Sync>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).wait()?;
    let server = Arc::new(Server::from_listener(session_examples::std_listener()?, None)?);
    let workers = (0..4).map(|_| {
        let (server, sessions) = (Arc::clone(&server), sessions.clone());
        thread::spawn(move || {
            for request in server.incoming_requests() {
                if let Err(error) = serve(&sessions, request) {
                    tracing::debug!(error, "a response was not sent");
                }
            }
        })
    });
    workers.collect::<Vec<_>>().into_iter().for_each(|worker| drop(worker.join()));
    Ok(())
}
