//! The program `sessionctl`, on every deployment.
//!
//! The tests run the program as a process. To add a deployment, add a line to
//! [`over_every_deployment`].

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod account;
mod check;
mod count;
mod documented;
mod end;
mod interrupted;
mod key;
mod list;
mod many;
mod permissions;
mod refusals;
mod show;
mod stats;
mod terminal;
mod watch;

use session_tests::acceptance::World;
use session_tests::sessionctl::{Run, run_with};

/// Makes a test of each function for each deployment. A function takes a [`World`].
macro_rules! over_every_deployment {
    ($tests:tt) => {
        over_every_deployment!(@deployments { redis redis_8 valkey_9 tls sentinel cluster } $tests);
    };
    (@deployments { $($deployment:ident)+ } $tests:tt) => {
        $(over_every_deployment!(@deployment $deployment $tests);)+
    };
    (@deployment $deployment:ident { $($module:ident { $($test:ident)+ })+ }) => {
        mod $deployment {
            $(mod $module {
                use session_tests::acceptance::World;

                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    // Some deployments need a server that may be missing.
                    let world: Option<World> = World::$deployment().await.into();
                    let Some(world) = world else { return };
                    crate::$module::$test(world).await;
                })+
            })+
        }
    };
}

over_every_deployment! {{
    count {
        all_sessions_are_counted
    }
    list {
        all_sessions_are_listed_once
        sessions_with_a_value_are_listed
    }
    show {
        a_session_is_shown_without_its_values
        values_are_shown_on_demand
    }
    end {
        a_session_ends_by_its_tag
        sessions_end_by_a_value
    }
    interrupted {
        a_killed_end_leaves_nothing_half_done
    }
    many {
        each_command_works_on_many_sessions
    }
    stats {
        every_key_is_counted_once_by_its_kind
        the_ages_of_live_sessions_are_in_a_histogram
        many_sessions_are_counted
    }
    check {
        a_good_store_passes_each_check
        each_permission_is_found_missing
    }
    watch {
        each_event_is_told_once
        a_lost_connection_is_told
    }
}}

/// Runs the program on the store of a test.
fn ctl(world: &World, args: &[&str]) -> Run {
    ctl_with(world, args, &[])
}

/// Runs the program on the store of a test, with these variables.
fn ctl_with(world: &World, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let url = world.server().expect("a store on servers").url();
    run_with(args, &[&[("SESSION_REDIS", &*url)], variables].concat())
}
