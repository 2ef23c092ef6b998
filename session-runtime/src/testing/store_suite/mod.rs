//! Checks of the contract of [`SessionStore`], for custom stores.
//!
//! Implement [`StoreUnderTest`] for your store. [`store_suite!`](macro@super::store_suite) makes a
//! test of each check. The name of a failed check says which rule the store breaks. The contract
//! itself is in the documentation of [`SessionStore`].

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod addition;
mod beginning;
mod destruction;
mod field_expiry;
mod index;
mod modification;
mod prefixes;
mod reading;
mod restoration;
mod rotation;
mod rotation_with_changes;
mod scanning;
mod side_by_side;
mod support;
mod time;
mod tombstones;
mod writers;
mod writing;

#[doc(hidden)]
pub use {
    addition::*, beginning::*, destruction::*, field_expiry::*, index::*, modification::*,
    prefixes::*, reading::*, restoration::*, rotation::*, rotation_with_changes::*, scanning::*,
    side_by_side::*, time::*, tombstones::*, writing::*,
};
// Needed by this project's other tests of stores.
#[doc(hidden)]
pub use support::{
    Successor, add, add_float, assert_is_dead, create, exchange, fresh_id, fresh_key,
    keeping_times, key_of, logout, modify, remove, replace, set, try_write,
};

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::store::SessionStore;

/// A store under test, and its clock.
pub trait StoreUnderTest {
    /// Returns the store. Checks use new keys with prefixes that begin with `test`. The store may
    /// hold other sessions, and sessions of earlier runs.
    fn store(&self) -> &dyn SessionStore;

    /// Lets time pass for the store. The default waits. If a test can advance your store's clock,
    /// advance the clock instead. Most checks ask for less than a tenth of a second.
    fn advance(&self, time: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(time)
    }
}

/// Makes a test of every check of the contract of [`SessionStore`](crate::store::SessionStore).
///
/// Call the macro in a separate module of an integration test. The expression is a future of a
/// [`StoreUnderTest`](crate::testing::store_suite::StoreUnderTest). Each test evaluates the
/// expression, and awaits the future on a multi-threaded tokio runtime. Some stores cannot expire
/// single fields ([`supports_field_expiry`](crate::store::SessionStore::supports_field_expiry)),
/// and must refuse this instead. A store without
/// [`supports_keeping_times`](crate::store::SessionStore::supports_keeping_times) gets no change
/// that keeps times. Walks over sessions ([`scan`](crate::store::SessionStore::scan)), lists of
/// fields ([`get_all`](crate::store::SessionStore::get_all)) and
/// [`index`](crate::store::SessionStore::index) are only checked if the store has them.
///
/// With `optional:` in front, the expression is a future of an `Option`. On `None`, tests pass
/// without doing anything. Use this for a server that may not be installed.
///
/// # Examples
///
/// ```
/// use session_runtime::testing::store_suite::{self, StoreUnderTest};
/// use session_runtime::store::SessionStore;
/// use session_runtime::MemoryStore;
///
/// // In your tests, your own store.
/// struct MyStore(MemoryStore);
///
/// impl MyStore {
///     async fn begin() -> Self {
///         Self(MemoryStore::new())
///     }
/// }
///
/// impl StoreUnderTest for MyStore {
///     fn store(&self) -> &dyn SessionStore {
///         &self.0
///     }
/// }
///
/// mod my_store {
///     # #[allow(unused_imports)]
///     use super::MyStore;
///
///     session_runtime::testing::store_suite!(MyStore::begin());
/// }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __store_suite {
    (@all $subject:expr) => {
        $crate::__store_suite!(@tests $subject;
            a_missing_key_is_missing
            a_session_begins_with_its_fields
            a_session_may_begin_without_fields
            existing_mode_creates_no_session
            create_mode_writes_a_live_session
            a_missing_field_is_none
            removals_are_counted
            removing_the_last_field_keeps_the_session
            sets_and_removals_go_together
            the_permanent_field_is_there
            a_write_leaves_other_fields_alone
            a_dead_key_is_dead_to_everything
            a_write_sets_the_expiry
            a_refresh_sets_the_expiry
            a_read_without_refresh_leaves_the_expiry
            reads_of_a_missing_key_leave_nothing
            an_expired_session_is_missing
            an_expired_session_is_created_anew_without_its_fields
            the_shortest_expiry_does_no_harm
            the_longest_expiry_does_no_harm
            any_bytes_come_back
            a_megabyte_comes_back
            unusual_names_are_names
            writes_to_different_fields_all_survive
            concurrent_creations_under_one_key_are_one_session
            thousands_of_changes_are_one_write
            a_field_is_removed_once
            a_write_is_seen_whole
            keys_are_independent

            fields_are_read_in_the_requested_order
            fields_of_missing_and_dead_keys_are_not_read
            reading_several_fields_refreshes_as_reading_one
            several_fields_are_read_at_one_moment
            thousands_of_fields_are_one_read

            fields_under_a_prefix_are_read
            an_empty_prefix_reads_all_fields
            a_prefix_of_fields_is_no_pattern
            fields_under_a_prefix_of_missing_and_dead_keys_are_not_read
            reading_a_prefix_refreshes_as_reading_one_field
            fields_under_a_prefix_are_read_as_they_are_now
            an_expired_field_is_not_under_its_prefix
            fields_under_a_prefix_are_read_at_one_moment
            thousands_of_fields_under_a_prefix_are_one_read

            a_replacement_returns_the_former_value
            a_value_is_set_once
            compare_and_set_compares_with_the_expected_value
            a_modification_of_an_existing_session_creates_nothing
            a_modification_may_create_a_session
            a_modification_of_a_dead_key_is_dead
            a_modification_sets_the_expiry
            a_modification_leaves_other_fields_alone
            modifying_the_last_field_away_keeps_the_session
            a_change_that_keeps_times_leaves_the_expiry
            a_change_that_keeps_times_creates_nothing
            a_failed_comparison_that_keeps_times_changes_nothing
            the_value_of_an_alias_counts_until_the_field_is_changed
            an_empty_alias_changes_nothing
            unusual_names_can_be_modified
            any_bytes_can_be_exchanged
            integers_are_added_within_their_limits
            a_value_that_is_no_integer_is_not_incremented
            a_missing_field_is_incremented_from_its_default
            floats_are_added_as_ieee_754_does
            a_value_that_is_no_float_is_not_incremented
            additions_at_once_are_exact
            one_of_several_concurrent_exchanges_wins
            a_value_is_taken_once
            a_value_that_is_set_once_is_the_same_for_all

            a_rotation_keeps_everything
            a_rotated_key_is_dead_to_everything
            a_rotated_key_is_missing_once_expired
            a_rotated_session_can_be_rotated_again
            a_repeated_rotation_succeeds_and_changes_nothing
            a_repeated_rotation_of_an_ended_session_is_dead
            a_rotation_to_another_successor_is_dead
            a_missing_session_is_not_rotated
            a_destroyed_session_is_not_rotated
            a_rotation_overwrites_nothing
            a_rotation_onto_itself_is_refused
            a_large_session_is_rotated_whole
            one_of_several_concurrent_rotations_wins
            a_rotation_with_concurrent_writes_loses_nothing

            a_rotation_carries_changes_out
            a_rotation_keeps_only_the_given_fields
            a_rotation_that_keeps_nothing_keeps_the_session
            a_repeated_rotation_does_not_repeat_its_changes
            a_rotation_of_a_missing_or_dead_key_changes_nothing
            a_refused_rotation_changes_nothing
            a_rotation_carries_thousands_of_changes_out
            of_rotations_with_changes_at_once_one_wins_whole
            a_rotation_with_changes_beside_writers_loses_nothing

            a_destroyed_session_is_dead_to_everything
            a_destroyed_session_is_missing_once_expired
            a_session_is_destroyed_once
            a_missing_session_is_not_destroyed
            destroying_a_rotated_session_names_its_successor
            a_large_session_is_destroyed
            one_of_several_concurrent_destructions_ends_the_session
            a_destruction_with_a_concurrent_rotation_knows_the_successor
            a_destruction_with_concurrent_writes_leaves_no_session

            expires_in_of_a_session
            expires_in_refreshes_nothing
            expires_in_of_a_missing_or_dead_session
            a_near_expiry_is_refreshed_below_a_threshold
            a_far_expiry_is_not_refreshed_below_a_threshold
            reads_below_a_threshold_know_missing_and_dead
            the_time_of_the_store_advances

            a_destruction_keeps_its_tombstone_for_the_given_time
            a_rotation_sets_both_expiries
            a_tombstone_records_how_its_session_ended
            a_live_or_missing_session_has_no_tombstone
            the_age_of_a_tombstone_counts_from_the_end_of_the_session
            nothing_prolongs_a_tombstone
            nothing_shortens_a_tombstone

            a_store_without_field_expiry_refuses_it
            a_field_is_kept_for_the_given_time
            a_write_without_an_expiry_ends_the_earlier_one
            a_write_sets_a_fields_expiry_again
            a_write_leaves_other_fields_expiries_alone
            an_expired_field_is_missing_to_every_operation
            an_expired_field_is_not_counted_as_removed
            a_session_outlives_its_last_field
            a_session_that_ends_takes_its_fields_along
            a_modification_sets_a_fields_expiry
            a_modification_that_changes_nothing_leaves_the_expiry
            a_modification_replaces_an_alias_with_an_expiry
            a_change_that_keeps_times_leaves_the_fields_expiry
            an_expired_field_counts_as_missing_to_modifications
            expire_field_gives_an_expiry_and_refreshes_the_session
            expire_field_ignores_missing_fields
            expires_in_of_a_field
            a_rotation_keeps_the_fields_expiries
            a_rotation_with_changes_keeps_and_sets_expiries
            expiries_of_extreme_lengths_do_no_harm
            hundreds_of_expiring_fields_are_one_write

            a_walk_shows_each_live_session
            a_walk_refreshes_nothing
            a_walk_stays_within_its_prefix
            a_walk_with_a_tag_shows_all_sessions_of_the_tag
            a_walk_misses_no_session_that_stays
            a_step_of_a_walk_can_be_repeated

            a_session_with_a_value_is_an_entry
            an_entry_goes_along_with_a_rotation
            a_rotation_may_make_an_entry
            entries_beside_rotations_are_never_missing
            a_look_shows_live_sessions
            a_session_is_only_ended_with_its_value
            stale_entries_are_removed_and_others_stay
            a_mark_refuses_earlier_logins
            a_login_beyond_a_limit_changes_nothing
            a_limit_is_exact_for_logins_at_once
            a_missing_entry_is_restored
            a_restored_entry_keeps_the_time_of_the_sign_in
            only_a_session_with_the_value_is_restored
            a_value_under_a_former_name_is_restored
            a_change_that_keeps_times_makes_an_entry_of_the_same_time

            an_entry_needs_only_the_beginning_of_its_value
            a_session_is_ended_by_the_beginning_of_its_value
            a_missing_entry_is_restored_by_the_beginning_of_its_value
            an_entry_with_the_beginning_of_its_value_is_not_stale
            a_login_with_a_former_beginning_keeps_other_fields
            a_login_with_another_beginning_keeps_no_field
        );
    };
    (@tests $subject:expr; $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $crate::testing::store_suite::run(async {
                    if let ::core::option::Option::Some(subject) = $subject {
                        $crate::testing::store_suite::$check(&subject).await;
                    }
                });
            }
        )*
    };
    (optional: $subject:expr) => {
        $crate::__store_suite!(@all $subject.await);
    };
    ($subject:expr) => {
        $crate::__store_suite!(@all ::core::option::Option::Some($subject.await));
    };
}

/// Runs a check.
#[doc(hidden)]
pub fn run(check: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime for the test").block_on(check);
}
