//! The acceptance suite: behaviours of an HTTP server with sessions, each shown over every store.
//!
//! A behaviour is a function that takes a [`World`](session_tests::acceptance::World). A further store is one more line at the end of
//! [`over_every_store`]; a further adapter is a file beside `tests/src/acceptance/axum_app.rs`.

mod concurrency;
mod laziness;
mod lifecycle;
mod untrusted_input;
mod values;

macro_rules! over_every_store {
    ($($module:ident { $($behaviour:ident)+ })+) => {
        over_every_store!(@store memory $($module { $($behaviour)+ })+);
        over_every_store!(@store redis $($module { $($behaviour)+ })+);
    };
    (@store $store:ident $($module:ident { $($behaviour:ident)+ })+) => {
        mod $store {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    crate::$module::$behaviour(session_tests::acceptance::World::$store().await).await;
                })+
            })+
        }
    };
}

over_every_store! {
    laziness {
        a_handler_that_ignores_the_session_costs_nothing
        a_read_without_a_session_asks_nobody
        the_first_write_sets_one_cookie_with_every_attribute
        configured_attributes_are_all_on_the_cookie
        a_persistent_lifetime_gives_the_cookie_an_age
        a_read_only_request_sets_no_cookie_and_postpones_expiry
        a_page_that_counts_takes_two_round_trips
        set_cookie_is_on_every_kind_of_response
        what_a_request_wrote_the_next_one_reads
        the_handlers_own_cookies_survive
        caches_are_told_what_the_response_depends_on
    }
    untrusted_input {
        a_cookie_with_any_byte_changed_is_no_session
        a_cookie_signed_by_an_older_key_is_reissued_when_found_live
        a_cookie_signed_by_a_removed_key_is_no_session
        an_unsigned_id_is_never_accepted
        a_value_signed_for_another_cookie_is_not_accepted
        an_id_that_the_store_does_not_know_is_never_adopted
        junk_never_reaches_the_store
        of_two_cookies_the_live_one_wins_in_either_order
        four_candidates_are_asked_and_no_more
        all_cookie_headers_are_read
        large_cookies_of_others_do_no_harm
    }
    values {
        missing_null_and_empty_stay_distinct
        unicode_nul_and_a_mebibyte_come_back_as_they_went_in
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
        a_birth_in_the_future_is_refused
        an_unknown_class_is_refused
        an_expired_session_gives_no_old_data_and_a_new_id
        a_session_that_was_ended_elsewhere_is_gone
        no_key_is_ever_without_an_expiry
        two_prefixes_do_not_see_each_other
    }
    concurrency {
        writes_to_different_fields_at_once_both_survive
        first_writes_side_by_side_end_in_one_session
        a_write_that_races_expiry_leaves_no_partial_session
        dropped_requests_leave_every_session_whole
        two_managers_live_side_by_side
        a_layer_applied_twice_is_one_session
    }
}
