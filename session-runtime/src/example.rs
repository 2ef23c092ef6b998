//! The set-up of examples in the documentation.

/// Runs an example with a new session in memory.
#[cfg(feature = "derive")]
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    (struct $schema:ident { $($fields:tt)* } || { $($body:tt)* }) => {
        $crate::__example!(struct $schema { $($fields)* } |_sessions, _session| { $($body)* });
    };
    (struct $schema:ident { $($fields:tt)* } |sessions| { $($body:tt)* }) => {
        $crate::__example!(struct $schema { $($fields)* } |sessions, _session| { $($body)* });
    };
    (struct $schema:ident { $($fields:tt)* } |$session:ident| { $($body:tt)* }) => {
        $crate::__example!(struct $schema { $($fields)* } |sessions, $session| { $($body)* });
    };
    (struct $schema:ident { $($fields:tt)* } |$sessions:ident, $session:ident| { $($body:tt)* }) => {
        #[allow(unused_imports)]
        use $crate::{Error, Lifetime, Session, SessionConfig, Sessions};

        #[allow(dead_code)]
        #[derive(Session)]
        struct $schema { $($fields)* }

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), Error> = runtime.block_on(async {
            let $sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
            let $session = $sessions.create::<$schema>().await?;
            $($body)*
            Ok(())
        });
        outcome.unwrap();
    };
}

/// An example needs the derive macro.
#[cfg(not(feature = "derive"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    ($($example:tt)*) => {};
}
