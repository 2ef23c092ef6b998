//! The load generator: visitors that ask one page again and again, over HTTP/1.1 connections that
//! stay open.
//!
//! Written by hand, because it shares the processors with what it measures: it sends bytes that
//! were made once, and reads of an answer no more than status, length and cookies.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::scenario::Cookie;

/// One visitor: a connection, and the cookies of a browser.
#[derive(Debug)]
pub(crate) struct Visitor {
    stream: TcpStream,
    buffer: Vec<u8>,
    jar: Jar,
}

/// Cookies by name, as the contestant set them last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Jar(Vec<(String, String)>);

/// When visitors leave.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Requests(usize),
    Time(Instant),
}

/// What visitors met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// How long each request took, in microseconds.
    pub(crate) latencies: Vec<f64>,
    pub(crate) elapsed: Duration,
}

const MOST_HEADERS: usize = 32;
const NOT_FOR_SESSIONS: &str = "theme=dark";

impl Visitor {
    pub(crate) async fn connect(address: SocketAddr, jar: Jar) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), jar })
    }

    pub(crate) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// Asks one page, and gives what it says.
    ///
    /// # Errors
    ///
    /// Whatever is not answered with success.
    pub(crate) async fn ask(&mut self, path: &str, cookie: Cookie) -> Result<String, Failure> {
        let request = self.jar.request(path, cookie);
        let (body, changed) = self.exchange(&request, cookie).await?;
        let text = String::from_utf8(self.buffer[body].to_vec())?;
        self.jar = changed.unwrap_or_else(|| self.jar.clone());
        Ok(text)
    }

    /// Asks the same page until it is time to leave. Gives how long each request took.
    async fn repeat(
        mut self,
        path: &'static str,
        cookie: Cookie,
        until: Until,
    ) -> Result<(Self, Vec<f64>), Failure> {
        let mut request = self.jar.request(path, cookie);
        let (mut latencies, mut asked_at) = (Vec::new(), Instant::now());
        while until.is_not_over(latencies.len(), asked_at) {
            if let (_, Some(changed)) = self.exchange(&request, cookie).await? {
                self.jar = changed;
                request = self.jar.request(path, cookie);
            }
            let answered_at = Instant::now();
            latencies.push((answered_at - asked_at).as_secs_f64() * 1e6);
            asked_at = answered_at;
        }
        Ok((self, latencies))
    }

    /// Where the answer's body is in the buffer; and the cookies, if the answer changes those of a
    /// visitor who keeps them.
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

/// Where an answer's body is, and the cookies after it, if they changed; nothing while it is not
/// whole.
type Parsed = Option<(Range<usize>, Option<Jar>)>;

/// An answer whose head is there. Cookies are looked at for a jar alone.
fn parse(answer: &[u8], jar: Option<&Jar>) -> Result<Parsed, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(at) = head.parse(answer)? else { return Ok(None) };
    if head.code != Some(200) {
        return Err(format!("a page answered {}", head.code.unwrap_or_default()).into());
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
    let length = length.ok_or("an answer has no Content-Length")?;
    Ok(Some((at..at + length, changed)))
}

impl Jar {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the cookie of a `Set-Cookie` header.
    fn set(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn request(&self, path: &str, cookie: Cookie) -> Vec<u8> {
        let cookies = match cookie {
            Cookie::Absent => String::new(),
            Cookie::Own => self.0.iter().map(|(name, value)| format!("; {name}={value}")).collect(),
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

/// The same with its first letter changed, which every contestant's signature covers, or is part
/// of. What stands after a `%` is left alone.
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

/// Connects visitors with these cookies, and lets each ask once, so that the connections are warm.
pub(crate) async fn gather(
    address: SocketAddr,
    jars: &[Jar],
    path: &'static str,
    cookie: Cookie,
) -> Result<Vec<Visitor>, Failure> {
    let mut visitors = Vec::with_capacity(jars.len());
    for jar in jars {
        let mut visitor = Visitor::connect(address, jar.clone()).await?;
        visitor.ask(path, cookie).await?;
        visitors.push(visitor);
    }
    Ok(visitors)
}

/// Lets all visitors ask side by side. Gives them back.
pub(crate) async fn run(
    visitors: Vec<Visitor>,
    path: &'static str,
    cookie: Cookie,
    until: Until,
) -> Result<(Vec<Visitor>, Met), Failure> {
    let (mut tasks, began_at) = (JoinSet::new(), Instant::now());
    for visitor in visitors {
        tasks.spawn(visitor.repeat(path, cookie, until));
    }
    let (mut visitors, mut met) = (Vec::new(), Met::default());
    while let Some(done) = tasks.join_next().await {
        let (visitor, mut latencies) = done??;
        visitors.push(visitor);
        met.latencies.append(&mut latencies);
    }
    met.elapsed = began_at.elapsed();
    Ok((visitors, met))
}
