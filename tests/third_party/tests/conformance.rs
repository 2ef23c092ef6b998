//! Runs the contract's checks on a third-party store, and shows that each mistake is detected.

use std::panic::catch_unwind;

use session_runtime::store::SessionStore;
use session_runtime::testing::store_suite::{self, StoreUnderTest, run};
use session_runtime::{Lifetime, Session, SessionConfig, Sessions};
use session_third_party::{Flaw, NaiveStore};

struct Naive(NaiveStore);

impl StoreUnderTest for Naive {
    fn store(&self) -> &dyn SessionStore {
        &self.0
    }
}

mod naive_store {
    use super::*;

    session_runtime::testing::store_suite!(async { Naive(NaiveStore::default()) });
}

mod a_server_that_is_not_there {
    use super::*;

    session_runtime::testing::store_suite!(optional: async { None::<Naive> });
}

macro_rules! is_found_out {
    ($($test:ident: $flaw:ident by $check:ident)*) => {
        $(
            #[test]
            fn $test() {
                let check = |store| run(async { store_suite::$check(&Naive(store)).await });
                check(NaiveStore::default());
                let found_out = catch_unwind(|| check(NaiveStore::with_flaw(Flaw::$flaw)));
                assert!(found_out.is_err(), "the check passes on a store that fails it");
            }
        )*
    };
}

is_found_out! {
    a_store_that_adopts_unknown_sessions: AdoptsUnknownSessions by existing_mode_creates_no_session
    a_store_that_forgets_the_permanent_field: ForgetsThePermanentField by removing_the_last_field_keeps_the_session
    a_store_that_carries_writes_out_twice: CarriesWritesOutTwice by removals_are_counted
    a_store_that_keeps_no_tombstones: KeepsNoTombstones by a_destroyed_session_is_dead_to_everything
    a_store_that_prolongs_tombstones: ProlongsTombstones by nothing_prolongs_a_tombstone
    a_store_that_shortens_tombstones: ProlongsTombstones by nothing_shortens_a_tombstone
    a_store_that_refreshes_when_it_only_reads: RefreshesWhenItOnlyReads by a_read_without_refresh_leaves_the_expiry
    a_store_that_never_refreshes: NeverRefreshes by a_refresh_sets_the_expiry
    a_store_that_loses_fields_when_it_rotates: LosesFieldsWhenItRotates by a_rotation_keeps_everything
    a_store_that_rotates_onto_others: RotatesOntoOthers by a_rotation_overwrites_nothing
    a_store_that_forgets_the_successor: ForgetsTheSuccessor by destroying_a_rotated_session_names_its_successor
    a_store_that_writes_half: WritesHalf by a_store_without_field_expiry_refuses_it
    a_store_that_keeps_aliases: KeepsAliases by the_value_of_an_alias_counts_until_the_field_is_changed
    a_store_that_refreshes_with_every_change: RefreshesWithEveryChange by a_change_that_keeps_times_leaves_the_expiry
    a_store_that_adds_as_floats: AddsAsFloats by integers_are_added_within_their_limits
    a_store_that_expires_nothing: ExpiresNothing by an_expired_session_is_missing
    a_store_that_rotates_without_changes: RotatesWithoutChanges by a_rotation_carries_changes_out
    a_store_that_keeps_all_fields: KeepsAllFields by a_rotation_keeps_only_the_given_fields
    a_store_that_walks_by_position: WalksByPosition by a_walk_misses_no_session_that_stays
    a_store_that_walks_over_tombstones: WalksOverTombstones by a_walk_shows_each_live_session
    a_store_that_reads_prefixes_as_patterns: ReadsPrefixesAsPatterns by a_prefix_of_fields_is_no_pattern
    a_store_that_hides_fields_from_prefixes: HidesFieldsFromPrefixes by an_empty_prefix_reads_all_fields
    a_store_that_begins_sessions_for_failures: BeginsSessionsForFailures by a_modification_may_create_a_session
}

mod a_store_that_only_rotates_whole_sessions {
    use super::*;

    session_runtime::testing::store_suite!(async {
        Naive(NaiveStore::with_flaw(Flaw::RotatesOnlyWhole))
    });
}

mod a_store_that_keeps_no_times {
    use super::*;

    session_runtime::testing::store_suite!(async {
        Naive(NaiveStore::with_flaw(Flaw::KeepsNoTimes))
    });
}

mod a_store_that_lists_no_fields {
    use super::*;

    session_runtime::testing::store_suite!(async {
        Naive(NaiveStore::with_flaw(Flaw::ListsNoFields))
    });
}

#[test]
fn a_store_that_only_rotates_whole_sessions_refuses_a_batch_with_a_new_id() {
    #[derive(Session)]
    struct Auth {
        user: Option<u64>,
    }
    run(async {
        let config = SessionConfig::new().secret("an ample secret for this test: 0123456789");
        let store = NaiveStore::with_flaw(Flaw::RotatesOnlyWhole);
        let sessions = Sessions::with_store(config, store).unwrap();
        let session = sessions.create::<Auth>().await.unwrap();
        let batch = || session.write().set(session.user(), 42);
        for batch in [batch().rotate(), batch().renew(Lifetime::normal())] {
            assert!(batch.commit().await.unwrap_err().is_unsupported());
        }
        assert_eq!(session.user().await.unwrap(), None);
        session.renew(Lifetime::normal()).await.unwrap();
        batch().commit().await.unwrap();
        assert_eq!(session.user().await.unwrap(), Some(42));
    });
}

#[test]
fn a_store_that_keeps_no_times_does_not_encrypt_again() {
    #[derive(Session)]
    struct Auth {
        #[session(encrypt)]
        note: Option<String>,
    }
    run(async {
        let config = SessionConfig::new()
            .secret("an ample secret for this test: 0123456789")
            .encryption_keys("an ample key for this test: 0123456789");
        let store = NaiveStore::with_flaw(Flaw::KeepsNoTimes);
        let sessions = Sessions::with_store(config, store).unwrap();
        let session = sessions.create::<Auth>().await.unwrap();
        session.set_note("hello").await.unwrap();
        let refused = sessions.reencrypt::<Auth>().run().await.unwrap_err();
        assert!(refused.is_unsupported() && refused.to_string().contains("keeps_times"));
        assert_eq!(session.note().await.unwrap(), Some("hello".to_owned()));
    });
}

#[test]
fn a_store_without_an_index_says_so() {
    #[derive(Session)]
    struct Auth {
        #[session(index)]
        user: Option<u64>,
    }
    run(async {
        let config = SessionConfig::new().secret("an ample secret for this test: 0123456789");
        let sessions = Sessions::with_store(config, NaiveStore::default()).unwrap();
        let found = sessions.find(Auth::by_user(7));
        let session = sessions.create::<Auth>().await.unwrap();
        for refused in [
            found.count().await.map(drop),
            found.end_all().await.map(drop),
            found.checkpoint().await.map(drop),
            session.set_user(7).await,
            session.write().set(session.user(), 7).renew(Lifetime::normal()).commit().await,
            sessions.require::<Auth>().await,
            sessions.reindex::<Auth>().await.map(drop),
        ] {
            assert!(refused.unwrap_err().is_unsupported());
        }
        assert_eq!(session.user().await.unwrap(), None);
    });
}
