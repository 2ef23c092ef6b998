//! `sessionctl check`.

mod report;

use std::time::Duration;

use self::report::{CHECKS, Check, Finding, Report};
use super::connection::{Opened, StoreArgs, redis_store};
use super::failure::Failure;
use super::output::Output;
use crate::error::Error;
use crate::id::LifetimeId;
use crate::request::clock_log::{CLOCKS_DIFFER, WARNING_DISTANCE};
use crate::request::manager::Manager;
use crate::session::startup::{Probe, distance_of_clocks};
use crate::store::RedisStore;
use crate::store::redis::UNTOLD;
use crate::store::redis::commands::preflight::operator::Purpose;
use crate::store::redis::commands::preflight::{Evicting, FieldExpiryLack};

/// Makes all checks, whatever the others find.
pub(super) async fn run(store: StoreArgs, output: &mut Output) -> Result<(), Failure> {
    let mut report = Report::new(output);
    match store.open().await {
        Ok(Opened { sessions, .. }) => {
            let (store, manager) = (redis_store(&sessions)?, sessions.manager());
            Checks { store, manager, report: &mut report }.run().await?;
        }
        Err(Failure::Sessions(error)) => {
            report.add(Check::Connection, error.into())?;
            for check in CHECKS.into_iter().filter(|check| *check != Check::Connection) {
                report.add(check, Finding::skipped("there is no connection"))?;
            }
        }
        Err(failure) => return Err(failure),
    }
    report.finish()
}

struct Checks<'a, 'b> {
    store: &'a RedisStore,
    manager: &'a Manager,
    report: &'a mut Report<'b>,
}

impl Checks<'_, '_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let probe = Probe::new(self.manager)?;
        self.report.add(Check::Connection, Finding::ok(self.store.server_list()))?;
        self.servers(&probe).await?;
        self.purposes(&probe).await?;
        let clock = distance_of_clocks(self.manager).await.map_or_else(Finding::from, clock);
        self.report.add(Check::Clock, clock)?;
        let eviction = self.eviction().await;
        self.report.add(Check::Eviction, eviction)?;
        let probed = probe.check(self.manager).await;
        let tracking = self.tracking(probed.is_ok()).await;
        let stored = "a session was created, changed, rotated and ended";
        self.report.add(Check::Probe, Finding::of(probed, stored))?;
        self.report.add(Check::Tracking, tracking)
    }

    /// Checks that all that sessions need is there.
    async fn servers(&mut self, probe: &Probe) -> Result<(), Failure> {
        let preflight = match self.store.preflight(probe.key()).await {
            Ok(preflight) => preflight,
            Err(error) => {
                self.report.add(Check::Permissions, error.into())?;
                for check in [Check::Scripts, Check::FieldExpiry] {
                    self.report.add(check, Finding::skipped("a server did not answer"))?;
                }
                return Ok(());
            }
        };
        let permissions = Finding::of_problems(&preflight.problems(), "all that sessions need");
        let scripts = Finding::of(preflight.scripts(), "check permissions before the first write");
        let field_expiry =
            field_expiry(&preflight.field_expiry(), self.store.supports_field_expiry());
        self.report.add(Check::Permissions, permissions)?;
        self.report.add(Check::Scripts, scripts)?;
        self.report.add(Check::FieldExpiry, field_expiry)
    }

    /// Checks the permissions that only some applications and operators need.
    async fn purposes(&mut self, probe: &Probe) -> Result<(), Failure> {
        // The list of a new id does not exist.
        let id = self.manager.generate(LifetimeId::default(), self.manager.now())?.id;
        let list = self.manager.index_key("", id.expose_secret().as_bytes());
        for (check, purpose, fine) in [
            (Check::Index, Purpose::Index(&list), "all that indexed fields need"),
            (Check::Walk, Purpose::Walk, "all that walks over all sessions need"),
            (Check::Show, Purpose::Values(probe.key()), "all that `sessionctl show` needs"),
        ] {
            let finding = match self.store.check_purpose(purpose).await {
                Ok(problems) => Finding::of_problems(&problems, fine).only_a_warning(),
                Err(error) => error.into(),
            };
            self.report.add(check, finding)?;
        }
        Ok(())
    }

    async fn eviction(&self) -> Finding {
        match self.store.evicting_policies().await {
            Ok(evicting) if evicting.is_empty() => {
                Finding::ok("no session is evicted when the memory is full")
            }
            Ok(evicting) => {
                let servers = evicting
                    .iter()
                    .map(|Evicting { address, policy }| format!("{policy} at {address}"));
                let servers = servers.collect::<Vec<_>>().join(", ");
                Finding::warning(format!("{}. Now: {servers}", Evicting::WARNING))
            }
            Err(error) if error.is_unavailable() => Error::from(error).into(),
            Err(_) => Finding::warning("could not read the policy: grant +info to the Redis user"),
        }
    }

    /// Returns whether the change of the probe session was told.
    async fn tracking(&self, was_probed: bool) -> Finding {
        match self.store.check_purpose(Purpose::News).await {
            Err(error) => error.into(),
            Ok(problems) if !problems.is_empty() => {
                Finding::of_problems(&problems, "").only_a_warning()
            }
            Ok(_) if !was_probed => Finding::skipped("the probe session is needed"),
            Ok(_) if self.store.is_untold() => Finding::warning(UNTOLD),
            Ok(_) => Finding::ok("changes of sessions are told"),
        }
    }
}

fn field_expiry(lacks: &[FieldExpiryLack], is_supported: bool) -> Finding {
    if !lacks.is_empty() {
        let texts = lacks.iter().map(|lack| format!("{lack} (lacks: {})", lack.lacks()));
        return Finding::warning(texts.collect::<Vec<_>>().join(". "));
    }
    Finding::ok(match is_supported {
        true => "fields may have a `ttl`",
        false => "not on this server: a `ttl` of a field needs Redis 7.4 or Valkey 9",
    })
}

fn clock(distance: Duration) -> Finding {
    let seconds = distance.as_secs();
    match distance > WARNING_DISTANCE {
        true => Finding::warning(format!("{CLOCKS_DIFFER}. Difference: {seconds} seconds")),
        false => Finding::ok(format!("differs by {seconds} seconds from the clock here")),
    }
}
