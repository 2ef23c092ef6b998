//! The acceptance suite: behaviours of an HTTP server with sessions, for every adapter and every
//! store.
//!
//! A behaviour is a function that takes a [`World`](session_tests::acceptance::World). To add a
//! store or an adapter, add a line to [`over_every_store`]. An adapter also needs a file beside
//! `tests/support/acceptance/axum_app.rs`.
//!
//! A session travels as a cookie or as a bearer token. A behaviour calls either a credential, and
//! runs with both. The exceptions are in [`over_cookies_alone`]. The programs in memory accept
//! cookies too, and their sessions begin as tokens because their layers have `bearer`. On Redis,
//! the program accepts tokens alone.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod caching;
mod concurrency;
mod destruction;
mod endings;
mod faults;
mod laziness;
mod lifecycle;
mod regressions;
mod rotation;
mod untrusted_input;
mod values;

macro_rules! over_every_store {
    ($behaviours:tt) => {
        over_every_store!(@adapter axum Axum Cookie {
            memory redis redis_8 valkey_9 tls sentinel cluster
        } $behaviours);
        // Differences between stores are already covered with the first adapter.
        over_every_store!(@adapter actix Actix Cookie { memory redis } $behaviours);
        over_every_store!(@adapter poem Poem Cookie { memory redis } $behaviours);
    };
    (@adapter $name:ident $adapter:ident $transport:ident { $($store:ident)+ } $behaviours:tt) => {
        mod $name {
            $(over_every_store!(@store $store $adapter $transport $behaviours);)+
        }
    };
    (@store $store:ident $adapter:ident $transport:ident {
        $($module:ident { $($behaviour:ident)+ })+
    }) => {
        mod $store {
            $(mod $module {
                use session_runtime::Transport;
                use session_tests::acceptance::{Adapter, World};

                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    // Some stores need a server that may be missing.
                    let world: Option<World> = World::$store().await.into();
                    let Some(world) = world else { return };
                    let world = world.with_adapter(Adapter::$adapter);
                    let world = world.with_transport(Transport::$transport);
                    crate::$module::$behaviour(world).await;
                })+
            })+
        }
    };
}

macro_rules! over_cookies_and_tokens {
    ($behaviours:tt) => {
        mod cookies {
            over_every_store!($behaviours);
        }
        mod tokens {
            // The transport does not depend on the store, so a single server is enough.
            over_every_store!(@adapter axum Axum Bearer { redis } $behaviours);
            mod behind_bearer {
                over_every_store!(@adapter axum Axum CookieOrBearer { memory } $behaviours);
                over_every_store!(@adapter actix Actix CookieOrBearer { memory } $behaviours);
                over_every_store!(@adapter poem Poem CookieOrBearer { memory } $behaviours);
            }
        }
    };
}

/// For behaviours that tokens do not have: attributes, quotes, other cookies, several cookies in a
/// request and two managers with a cookie each. Behaviours without a request are here too.
macro_rules! over_cookies_alone {
    ($behaviours:tt) => {
        mod cookies_alone {
            over_every_store!($behaviours);
        }
    };
}

over_cookies_and_tokens! {{
    laziness {
        a_handler_that_ignores_the_session_costs_nothing
        a_read_without_a_session_sends_no_command
        a_read_only_request_issues_nothing_and_postpones_expiry
        a_page_that_counts_takes_two_round_trips
        the_credential_is_on_every_kind_of_response
        the_next_request_reads_earlier_writes
        vary_names_the_credential_for_caches
    }
    caching {
        a_body_that_uses_its_session_after_the_headers_is_private
        a_body_that_can_find_no_session_is_as_public_as_its_handler_says
        no_cache_keeps_a_response_with_a_credential_or_a_session
        the_first_line_of_vary_names_the_credential
    }
    untrusted_input {
        a_credential_with_any_byte_changed_is_no_session
        a_credential_signed_by_an_older_key_is_reissued_when_found_live
        a_credential_signed_by_a_removed_key_is_no_session
        an_unsigned_id_is_never_accepted
        a_value_signed_for_another_cookie_is_not_accepted
        an_id_that_the_store_does_not_know_is_never_adopted
        junk_never_reaches_the_store
    }
    values {
        missing_null_and_empty_stay_distinct
        unicode_nul_and_a_mebibyte_are_read_unchanged
        a_value_over_the_limit_is_refused_before_anything_is_sent
        writing_one_field_leaves_the_bytes_of_others
        a_read_after_a_write_sees_it
        a_field_that_cannot_be_decoded_names_itself_and_harms_no_other
        removing_the_last_field_ends_nothing
        a_missing_field_reads_as_its_default
        fields_are_stored_as_the_python_package_stores_them
        none_removes_the_field_and_creates_nothing
    }
    lifecycle {
        an_idle_session_expires
        activity_postpones_the_idle_expiry
        no_activity_postpones_the_absolute_deadline
        a_session_past_its_deadline_is_absent_without_asking
        every_expiry_is_capped_by_the_absolute_deadline
        a_creation_time_in_the_future_is_refused
        a_session_of_an_unknown_class_has_the_strictest_lifetime
        an_expired_session_gives_no_old_data_and_a_new_id
        a_session_that_was_ended_elsewhere_is_gone
        no_key_is_ever_without_an_expiry
        two_prefixes_do_not_see_each_other
    }
    concurrency {
        writes_to_different_fields_at_once_both_survive
        concurrent_first_writes_create_one_session
        a_write_that_races_expiry_leaves_no_partial_session
        a_layer_applied_twice_is_one_session
    }
    rotation {
        rotation_keeps_the_data_under_a_new_id_and_the_old_one_is_dead
        rotation_keeps_tag_expiry_and_deadline
        rotation_and_writes_go_together_in_any_order
        rotation_without_a_session_does_nothing
        rotation_takes_one_round_trip
        one_of_two_concurrent_rotations_wins_and_one_id_is_live
        a_write_on_the_old_id_after_a_rotation_is_gone
        renewal_restarts_the_absolute_deadline
        a_remembered_session_outlives_the_browser_and_a_normal_one
        renewal_without_a_session_sets_the_lifetime_of_the_next_session
        a_lifetime_that_is_not_configured_is_refused
        renewal_replaces_a_planted_session
        rotation_of_a_session_with_an_old_signature_issues_one_credential
    }
    destruction {
        a_destroyed_session_leaves_at_most_a_tombstone_that_expires
        destroy_without_a_session_does_nothing
        destroy_works_when_memory_is_full
        a_write_after_destroy_begins_a_session_under_a_new_id
        the_credential_follows_the_last_of_many_changes
        a_slow_request_does_not_bring_a_logged_out_session_back
        reading_against_a_logout_leaves_no_session
        logout_beats_a_rotation_at_the_same_time
        after_the_headers_changing_the_credential_is_an_error
        a_removal_is_on_every_kind_of_response
        clearing_keeps_the_session_and_unknown_fields
        a_session_describes_itself
        a_session_of_another_program_exists_as_often_as_it_is_asked
        below_a_threshold_alone_the_first_read_refreshes
    }
    endings {
        a_request_after_the_end_of_its_session_creates_a_new_one
        a_request_that_was_under_way_when_its_session_ended_is_gone_however_long_it_takes
        a_request_within_the_grace_counts_as_under_way
        a_login_on_a_dead_id_creates_a_session_unless_another_request_ended_it
        an_id_from_before_the_login_does_not_end_the_session_after_it
        the_application_ends_a_session_by_an_id_from_before_the_login
        sessions_that_this_program_cannot_use_are_still_ended
        a_change_of_id_ends_unusable_sessions
        a_session_that_expired_only_by_this_clock_is_not_reported_as_expired
    }
    regressions {
        a_request_that_ends_after_a_logout_restores_nothing
        an_update_of_a_session_that_is_gone_is_not_a_creation
        an_id_that_the_client_chose_never_becomes_its_sessions
        a_rotation_that_fails_loses_nothing
        a_change_after_a_renewal_does_not_cancel_it
        ids_that_change_under_load_leave_no_key_without_an_expiry
    }
}}

over_cookies_alone! {{
    laziness {
        the_first_write_sets_one_cookie_with_every_attribute
        configured_attributes_are_all_on_the_cookie
        a_persistent_lifetime_gives_the_cookie_an_age
        the_handlers_own_cookies_survive
    }
    untrusted_input {
        a_value_in_quotes_is_the_value
        the_live_one_of_two_cookies_wins_in_either_order
        four_candidates_are_asked_and_no_more
        all_cookie_headers_are_read
        large_cookies_of_others_do_no_harm
    }
    concurrency {
        dropped_requests_leave_every_session_whole
        two_managers_are_independent
    }
    rotation {
        a_lifetime_that_differs_from_the_configuration_is_refused
    }
    destruction {
        the_removal_cookie_has_the_attributes_of_the_one_it_removes
        a_dead_cookie_does_not_hide_a_live_one
    }
    endings {
        a_part_of_the_application_never_writes_to_another_session
        a_logout_ends_every_session_of_the_browser
        planted_cookies_do_not_hide_the_youngest_session
    }
    regressions {
        a_browser_takes_the_removal_as_it_took_the_cookie
    }
}}
