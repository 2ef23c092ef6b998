//! The rules that hold after every step.

use super::operation::Cap;
use super::world::{Ended, Key, USERS, World};

impl World {
    /// Checks the rules that hold at every moment.
    pub(super) fn check(&mut self, cap: Option<Cap>) {
        if self.broken.is_none() {
            self.broken = self.violation(cap);
        }
    }

    fn violation(&self, cap: Option<Cap>) -> Option<String> {
        for (id, session) in self.live() {
            let labelled = session.label.map(|label| label.user);
            if labelled != session.value {
                return Some(format!(
                    "{id:?} has {:?}, and the label of {labelled:?}",
                    session.value
                ));
            }
            let Some(label) = session.label else { continue };
            if self.lists[label.user].entries.iter().all(|entry| entry.id != id) {
                return Some(format!("{id:?} is live, and not in the list of user {}", label.user));
            }
            let is_over =
                |ended: &&Ended| label.addition < ended.mark && ended.spared != Some(self.tag(id));
            if let Some(ended) = self.ended[label.user].iter().find(is_over) {
                return Some(format!(
                    "{id:?} of user {} survives the end with number {}",
                    label.user, ended.mark
                ));
            }
        }
        // A second step that a look took for overdue may then be in time again.
        let cap = cap.filter(|_| !self.turned_back[USERS..].contains(&true))?;
        (0..USERS).find_map(|user| {
            let live = self.live_of(user);
            (live > cap.most).then(|| format!("user {user} has {live} sessions"))
        })
    }

    /// Checks that the lists have only stored sessions, long after the last change and a look.
    /// The server may keep a session longer than clients use it.
    pub(super) fn check_exact(&mut self) {
        for user in 0..USERS {
            for at in 0..self.lists[user].entries.len() {
                let id = self.lists[user].entries[at].id;
                if !matches!(self.key(id), Key::Live(session) if session.value == Some(user)) {
                    self.break_rule(|| format!("{id:?} stays in the list of user {user}"));
                }
            }
        }
    }
}
