//! A look at a watched session.

use redis::{Pipeline, Value};

use crate::store::redis::RedisStore;
use crate::store::redis::commands::read::time_left;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::{Exchange, Idempotent};
use crate::store::redis::protocol::command::command_of;
use crate::store::{LookResult, Lookup, PERMANENT_FIELD, SessionKey};

impl RedisStore {
    /// Looks at a watched session. Changes nothing, and has the server tell the next change.
    pub(crate) async fn look_at(&self, key: &SessionKey) -> LookResult {
        let name = key.expose_secret();
        let mut commands = Pipeline::with_capacity(3);
        // Holds for the next command alone.
        commands.add_command(command_of(&["CLIENT", "CACHING", "YES"]));
        commands.add_command(command_of(&["HEXISTS", name, PERMANENT_FIELD]));
        commands.add_command(command_of(&["PTTL", name]));
        let deadline = self.deployment.deadline();
        let sent =
            self.deployment.exchange(key, Route::Session, &Idempotent(&commands), deadline).await;
        let result = sent.map_or(LookResult::Failed, result_of);
        match &result {
            LookResult::Live { source, .. } => self.record_told(source.is_some()),
            LookResult::Over => drop(self.void_if_gone(key, Lookup::<()>::Missing)),
            LookResult::Moving | LookResult::Failed => {}
        }
        result
    }

    /// Records whether changes are told, and warns if they are not.
    pub(crate) fn record_told(&self, is_told: bool) {
        self.deployment.record_told(is_told);
    }
}

fn result_of(exchange: Exchange<Vec<Value>>) -> LookResult {
    let mut replies = exchange.reply.into_iter();
    let is_told = replies.next() == Some(Value::Okay);
    let news = exchange.connection.news.as_ref().filter(|_| is_told);
    match LookResult::untold(time_left(replies.next(), replies.next())) {
        // An `ASKING` comes between the two commands, and the next look goes to another node.
        LookResult::Live { .. } if exchange.was_asking => LookResult::Moving,
        LookResult::Live { expires_in, .. } => {
            LookResult::Live { expires_in, source: news.map(|news| news.source().clone()) }
        }
        result => result,
    }
}
