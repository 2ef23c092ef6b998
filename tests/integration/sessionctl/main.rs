//! The program `sessionctl`, on every deployment.
//!
//! The tests run the program as a process. To add a deployment, add a line to
//! [`over_every_deployment`].

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod count;

use session_tests::acceptance::World;
use session_tests::sessionctl::{Run, run};

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
}}

/// Runs the program on the store of a test.
fn ctl(world: &World, args: &[&str]) -> Run {
    let url = world.server().expect("a store on servers").url();
    run(&[&["--store", &url], args].concat())
}
