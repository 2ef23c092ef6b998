//! The load generator: visitors that request the same page repeatedly, over HTTP/1.1 connections
//! that stay open.
//!
//! The generator shares the CPU with the measured programs, so it does as little as possible.
//! Requests are prepared bytes. The parser reads only the status, the length and the cookies of a
//! response.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::crowd::Crowd;
use crate::scenario::Cookie;

/// A visitor with a connection and a browser's cookies.
#[derive(Debug)]
pub(crate) struct Visitor {
    stream: TcpStream,
    buffer: Vec<u8>,
    jar: Jar,
    /// For requests with a session of their own.
    fresh: Vec<Jar>,
}

/// Cookies by name, as last set by the contestant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Jar(Vec<(String, String)>);

/// The requests of a visit.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    pub(crate) path: &'static str,
    pub(crate) cookie: Cookie,
    /// The sessions that the visitors share, in place of their own.
    pub(crate) crowd: Option<Arc<Crowd>>,
}

/// The end of a visit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Requests(usize),
    Time(Instant),
}

/// The results of the visitors.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Latency of each request, in microseconds.
    pub(crate) latencies: Vec<f64>,
    /// Number of requests without those of a crowd that write.
    pub(crate) reads: usize,
    pub(crate) elapsed: Duration,
}

const FRESH_SEED: &str = "/seed/one";
const MOST_HEADERS: usize = 32;
const NOT_FOR_SESSIONS: &str = "theme=dark";

impl Visitor {
    pub(crate) async fn connect(address: SocketAddr, jar: Jar) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), jar, fresh: Vec::new() })
    }

    pub(crate) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// Requests a page, and returns the content.
    ///
    /// # Errors
    ///
    /// Fails if the response is not a success.
    pub(crate) async fn ask(&mut self, path: &str, cookie: Cookie) -> Result<String, Failure> {
        let request = self.jar.request(path, cookie);
        let (body, changed) = self.exchange(&request, cookie).await?;
        let text = String::from_utf8(self.buffer[body].to_vec())?;
        self.jar = changed.unwrap_or_else(|| self.jar.clone());
        Ok(text)
    }

    /// Creates sessions, and returns their cookies.
    pub(crate) async fn create(
        &mut self,
        seed: &str,
        sessions: usize,
    ) -> Result<Vec<Jar>, Failure> {
        let mut jars = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            self.jar = Jar::default();
            self.ask(seed, Cookie::Own).await?;
            jars.push(self.jar.clone());
        }
        Ok(jars)
    }

    /// Creates sessions for requests with a session of their own.
    async fn prepared(mut self, sessions: usize) -> Result<Self, Failure> {
        self.fresh = self.create(FRESH_SEED, sessions).await?;
        Ok(self)
    }

    /// Sends requests until the end of the visit.
    async fn repeat(mut self, requests: Requests, until: Until) -> Result<(Self, Met), Failure> {
        let Requests { path, cookie, crowd } = requests;
        let mut request = self.jar.request(path, cookie);
        let (mut met, mut asked_at) = (Met::default(), Instant::now());
        while until.is_not_over(met.latencies.len(), asked_at) {
            let mut reads = true;
            if let Some(crowd) = &crowd {
                let next = crowd.next();
                reads = next.1;
                self.exchange(next.0, cookie).await?;
            } else {
                if let Cookie::Fresh { .. } = cookie {
                    let Some(jar) = self.fresh.pop() else { break };
                    request = jar.request(path, Cookie::Own);
                }
                if let (_, Some(changed)) = self.exchange(&request, cookie).await? {
                    self.jar = changed;
                    request = self.jar.request(path, cookie);
                }
            }
            let answered_at = Instant::now();
            met.latencies.push((answered_at - asked_at).as_secs_f64() * 1e6);
            met.reads += usize::from(reads);
            asked_at = answered_at;
        }
        Ok((self, met))
    }

    /// Returns the position of the response body in the buffer. Also returns the cookies, if the
    /// visitor keeps cookies and the response changes any.
    async fn exchange(
        &mut self,
        request: &[u8],
        cookie: Cookie,
    ) -> Result<(Range<usize>, Option<Jar>), Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed a connection".into());
            }
            let jar = (cookie == Cookie::Own).then_some(&self.jar);
            let Some((body, changed)) = parse(&self.buffer, jar)? else { continue };
            while self.buffer.len() < body.end {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the server closed a connection".into());
                }
            }
            return Ok((body, changed));
        }
    }
}

/// Position of the response body, and the changed cookies if any. `None` while the response is
/// incomplete.
type Parsed = Option<(Range<usize>, Option<Jar>)>;

/// Parses a response with complete headers. Reads cookies only if there is a jar.
fn parse(answer: &[u8], jar: Option<&Jar>) -> Result<Parsed, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(at) = head.parse(answer)? else { return Ok(None) };
    if head.code != Some(200) {
        return Err(format!("a page returned the status {}", head.code.unwrap_or_default()).into());
    }
    let (mut length, mut changed) = (None, None::<Jar>);
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(str::from_utf8(header.value)?.parse::<usize>()?);
        } else if let Some(jar) = jar
            && header.name.eq_ignore_ascii_case("set-cookie")
        {
            changed.get_or_insert_with(|| jar.clone()).set(str::from_utf8(header.value)?);
        }
    }
    let length = length.ok_or("a response has no Content-Length")?;
    Ok(Some((at..at + length, changed)))
}

impl Jar {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Stores the cookie of a `Set-Cookie` header.
    fn set(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn request(&self, path: &str, cookie: Cookie) -> Vec<u8> {
        let cookies = match cookie {
            Cookie::Absent => String::new(),
            Cookie::Own | Cookie::Fresh { .. } | Cookie::OfCrowd => {
                self.0.iter().map(|(name, value)| format!("; {name}={value}")).collect()
            }
            Cookie::Forged => {
                self.0.iter().map(|(name, value)| format!("; {name}={}", forged(value))).collect()
            }
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {NOT_FOR_SESSIONS}{cookies}\r\n\r\n"
        )
        .into_bytes()
    }
}

/// Returns the value with the first letter changed. The letter is covered by the signature of every
/// contestant, or is part of the signature. Characters after `%` stay the same.
fn forged(value: &str) -> String {
    let mut after_percent = usize::MAX;
    let at = value.char_indices().find_map(|(at, c)| {
        after_percent = if c == '%' { 0 } else { after_percent.saturating_add(1) };
        (after_percent > 2 && c.is_ascii_alphabetic()).then_some((at, c))
    });
    let Some((at, letter)) = at else { return value.to_owned() };
    let other = if letter == 'A' { "B" } else { "A" };
    [&value[..at], other, &value[at + 1..]].concat()
}

impl Until {
    fn is_not_over(self, asked: usize, now: Instant) -> bool {
        match self {
            Self::Requests(requests) => asked < requests,
            Self::Time(end) => now < end,
        }
    }
}

/// Connects a visitor for each jar, and sends a request on each connection as a warm-up.
pub(crate) async fn gather(
    address: SocketAddr,
    jars: &[Jar],
    requests: &Requests,
) -> Result<Vec<Visitor>, Failure> {
    let mut visitors = Vec::with_capacity(jars.len());
    for jar in jars {
        let mut visitor = Visitor::connect(address, jar.clone()).await?;
        if !matches!(requests.cookie, Cookie::Fresh { .. }) {
            visitor.ask(requests.path, requests.cookie).await?;
        }
        visitors.push(visitor);
    }
    let Cookie::Fresh { sessions } = requests.cookie else { return Ok(visitors) };
    let tasks: JoinSet<_> =
        visitors.into_iter().map(|visitor| visitor.prepared(sessions)).collect();
    tasks.join_all().await.into_iter().collect()
}

/// Runs all visitors concurrently, and returns the same visitors.
pub(crate) async fn run(
    visitors: Vec<Visitor>,
    requests: &Requests,
    until: Until,
) -> Result<(Vec<Visitor>, Met), Failure> {
    let (mut tasks, began_at) = (JoinSet::new(), Instant::now());
    for visitor in visitors {
        tasks.spawn(visitor.repeat(requests.clone(), until));
    }
    let (mut visitors, mut met) = (Vec::new(), Met::default());
    while let Some(done) = tasks.join_next().await {
        let (visitor, mut part) = done??;
        visitors.push(visitor);
        met.latencies.append(&mut part.latencies);
        met.reads += part.reads;
    }
    met.elapsed = began_at.elapsed();
    Ok((visitors, met))
}
