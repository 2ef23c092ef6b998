//! The set-up of examples in the documentation.

/// Runs an example on a new runtime. An example with a schema gets a new session in memory, and the
/// session manager: `__example!(struct Visitor { count: u64 } |session, sessions| { … })`.
#[cfg(feature = "derive")]
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    ({ $($body:tt)* }) => {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), Box<dyn std::error::Error>> = runtime.block_on(async {
            $($body)*
            Ok(())
        });
        outcome.unwrap();
    };
    (struct $schema:ident { $($fields:tt)* } |$session:ident $(, $sessions:ident)?| { $($body:tt)* }) => {
        $crate::__example!({
            use $crate::{Error, Lifetime, Session, SessionConfig, Sessions};

            #[derive(Session)]
            struct $schema { $($fields)* }

            let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
            let $session = sessions.create::<$schema>().await?;
            $(let $sessions = sessions;)?
            $($body)*
        });
    };
}

/// An example needs the derive macro.
#[cfg(not(feature = "derive"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    ($($example:tt)*) => {};
}
