//! The walk over all sessions.

use std::mem::take;

use crate::id::SessionId;
use crate::store::redis::RedisStore;
use crate::store::redis::commands::index::{look_at, seen};
use crate::store::redis::commands::key_walk::{Wanted, has_moved};
use crate::store::redis::commands::query::read_error;
use crate::store::redis::protocol::command::pattern_of;
use crate::store::redis::protocol::reply::text;
use crate::store::{Look, Lookup, Scan, ScanPage, Seen, SessionKey, StoreError};

/// About the largest number of keys that a server looks at for a page.
const PAGE: u32 = 500;
/// The same for a walk with a tag, which reads few sessions.
const PAGE_WITH_TAG: u32 = 2_000;

impl RedisStore {
    pub(crate) async fn scan(&self, scan: Scan<'_>) -> Result<ScanPage, StoreError> {
        let pattern = pattern(scan);
        let count = if scan.tag.is_some() { PAGE_WITH_TAG } else { PAGE };
        let wanted = Wanted { pattern: &pattern, count, only_hashes: true };
        let Some(page) = self.key_page(scan.from, wanted).await? else {
            return Ok(ScanPage { sessions: Vec::new(), next: None });
        };
        let ids = page.names.iter().filter_map(|name| SessionKey::id_in(scan.prefix, text(name)?));
        let sessions = self.look_on(&page.server, scan.prefix, ids.collect(), scan.look).await?;
        Ok(ScanPage { sessions, next: page.next })
    }

    /// Returns about the largest number of keys that a step of a walk looks at.
    #[cfg(feature = "cli")]
    pub(crate) fn keys_in_step(has_tag: bool) -> u32 {
        if has_tag { PAGE_WITH_TAG } else { PAGE }
    }

    /// Looks at sessions where their keys were found. Keys that have moved are followed.
    async fn look_on(
        &self,
        server: &str,
        prefix: &str,
        mut ids: Vec<SessionId>,
        look: Look<'_>,
    ) -> Result<Vec<(SessionId, Seen)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // A server may return a key twice.
        ids.sort_unstable_by(|one, other| one.expose_secret().cmp(other.expose_secret()));
        ids.dedup();
        let keys: Vec<_> = ids.iter().map(|id| SessionKey::new(prefix, id)).collect();
        let deadline = self.deployment.deadline();
        let commands = look_at(&keys, look);
        let sent = self.deployment.send_to_server(server, &commands, deadline).await;
        let mut exchange = sent.map_err(read_error)?;
        let mut replies = take(&mut exchange.reply).into_iter();
        let mut sessions = Vec::with_capacity(ids.len());
        for (id, key) in ids.iter().zip(&keys) {
            let (mut values, mut left) = (replies.next(), replies.next());
            let mut followed = None;
            if [&values, &left].into_iter().flatten().any(has_moved) {
                let commands = look_at(std::slice::from_ref(key), look);
                let mut exchange = self.query_exchange(key, &commands).await?;
                let mut replies = take(&mut exchange.reply).into_iter();
                (values, left) = (replies.next(), replies.next());
                followed = Some(exchange);
            }
            let found = seen(values, left, look.index)?;
            let lease = followed.as_ref().unwrap_or(&exchange).lease();
            if let Lookup::Found(seen) = self.saw_fields(key, lease, look.fields, found) {
                sessions.push((*id, seen));
            }
        }
        Ok(sessions)
    }
}

/// Returns the pattern of the keys. Ids from Python have no braces around the tag.
fn pattern(scan: Scan<'_>) -> String {
    let beginning = pattern_of(&format!("{}:sessions:", scan.prefix));
    match scan.tag {
        Some(tag) if cfg!(feature = "redis-session-compat") => beginning + &pattern_of(tag),
        Some(tag) => pattern_of(&format!("{}:sessions:{{{tag}}}", scan.prefix)),
        None => beginning,
    }
}
