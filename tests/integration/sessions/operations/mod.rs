//! Operations on fields, one by one and in batches, over every store.

mod batches;
mod encrypted;
mod encryption_keys;
mod end_reason;
mod ended;
mod form_token;
mod fresh;
mod index_races;
mod login;
mod reindexing;
mod round_trips;
mod single;
mod touch;
mod user_sessions;
mod visitor;
mod walks;

macro_rules! over_every_store {
    ($($module:ident { $($behaviour:ident)+ })+) => {
        over_every_store!(@store memory $($module { $($behaviour)+ })+);
        over_every_store!(@store redis $($module { $($behaviour)+ })+);
        over_every_store!(@store redis_8 $($module { $($behaviour)+ })+);
        over_every_store!(@store valkey_9 $($module { $($behaviour)+ })+);
        over_every_store!(@store tls $($module { $($behaviour)+ })+);
        over_every_store!(@store sentinel $($module { $($behaviour)+ })+);
        over_every_store!(@store cluster $($module { $($behaviour)+ })+);
    };
    (@store $store:ident $($module:ident { $($behaviour:ident)+ })+) => {
        mod $store {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    // Some stores need a server that may be missing.
                    let world = session_tests::acceptance::World::$store().await;
                    let Some(world) = Option::from(world) else { return };
                    super::super::$module::$behaviour(world).await;
                })+
            })+
        }
    };
}

over_every_store! {
    single {
        take_gives_the_value_and_removes_it
        replace_returns_the_former_value
        get_or_set_sets_once
        incr_and_decr_count_exactly
        incr_respects_the_default
        incr_respects_the_range_of_every_type
        incr_adds_floats_as_rust_does
        incr_of_a_value_that_is_no_number_is_a_decode_error
        compare_and_set_compares_with_the_stored_form
        update_applies_a_function
        update_gives_up_when_contended
        a_hundred_concurrent_updates_are_all_kept
        an_addition_out_of_range_creates_no_session
        removals_create_no_session
        operations_on_a_dead_session_are_gone
        ten_thousand_increments_from_64_clients_are_ten_thousand
        one_of_64_clients_wins_compare_and_set
        one_of_64_clients_takes_the_value
        get_or_set_has_one_value_for_all
        values_over_the_limit_are_refused
        a_value_over_the_limit_can_be_made_smaller
    }
    fresh {
        a_fresh_read_sees_the_write_of_another_request
        own_writes_are_read_after_values_were_kept
    }
    encryption_keys {
        all_keys_decrypt_and_the_first_encrypts
        values_are_encrypted_again_without_a_use_of_the_session
        sessions_are_found_under_every_key
        a_login_with_an_encrypted_user_has_its_conditions
        plain_text_is_encrypted_by_the_walk
        encryption_is_introduced_and_taken_back_in_steps
        nothing_is_unreadable_while_keys_are_replaced
    }
    batches {
        a_batch_of_reads_is_the_reads_one_by_one
        twelve_fields_and_vectors_are_read_together
        a_batch_of_writes_is_all_or_nothing
        the_last_change_of_a_field_counts
        a_batch_over_the_limit_is_refused
        a_field_of_another_request_is_refused
        an_empty_batch_sends_nothing
        load_after_save_is_identity
        save_leaves_unknown_fields_alone
    }
    encrypted {
        every_operation_reads_the_plain_value
        batches_and_structs_read_the_plain_values
        the_store_gets_other_bytes_at_each_write
        values_move_with_the_session
        bytes_from_elsewhere_are_refused
        plain_text_is_read_only_if_accepted
        a_value_under_the_former_name_is_read_and_moved
        an_encrypted_field_expires
        an_encrypted_value_may_be_in_a_near_cache
    }
    login {
        a_login_moves_the_session_with_its_values
        a_login_without_a_session_creates_one
        a_batch_that_rotates_keeps_lifetime_and_fields
        a_kept_field_may_have_its_former_name
        two_logins_of_one_request_leave_whole_values
        of_two_requests_at_once_one_has_the_session
        a_batch_that_only_removes_creates_nothing
    }
    end_reason {
        each_end_has_its_reason
        ends_through_the_index_have_reasons
        an_expired_session_is_not_found_or_past_its_deadline
        the_store_is_asked_for_a_dead_id_only
        a_question_is_no_use
        an_own_new_id_is_no_end
        a_new_session_leaves_the_reason
        an_own_end_has_a_reason
        of_several_cookies_the_end_that_matters_counts
    }
    ended {
        each_end_is_noticed_with_its_reason
        ends_by_a_search_are_noticed
        a_dropped_future_loses_nothing
        uses_of_a_session_are_no_end
        an_own_new_id_is_followed
        a_session_that_is_over_is_told_at_once
        without_a_session_nothing_is_sent
        a_wait_may_begin_before_the_session
        the_end_of_the_latest_session_counts
        a_future_may_be_polled_after_the_end
    }
    form_token {
        a_page_with_a_form_begins_a_session
        tokens_end_with_the_id
        a_planted_cookie_opens_no_other_session
        a_session_that_is_over_keeps_its_tokens
        after_a_logout_no_token_is_valid
        a_check_asks_only_if_several_sessions_are_named
        a_page_with_a_form_is_a_use
        a_form_after_a_lost_rotation_is_not_of_a_session_that_has_expired
    }
    user_sessions {
        every_way_to_write_the_user_is_found
        every_way_to_remove_the_user_is_noticed
        an_action_without_effect_leaves_the_index
        the_entry_follows_every_new_id
        a_login_with_an_index_is_one_round_trip_for_each_step
        a_list_shows_each_session_as_it_is
        a_tag_ends_only_a_session_of_the_user
        all_or_all_other_sessions_are_ended
        a_session_of_somebody_else_now_is_left_alone
        an_end_follows_rotations_under_way
        the_newest_sessions_can_be_kept
        fifty_logins_at_once_leave_as_many_as_allowed
        a_login_beyond_the_limit_is_refused
        a_login_that_an_end_overtook_is_refused
        an_index_with_a_former_name_of_the_field
        another_user_gets_nothing_of_the_user_before
        an_ended_device_begins_again_after_destroy
    }
    reindexing {
        sessions_from_before_the_index_are_found
        lists_and_labels_that_are_lost_come_back
        reindex_beside_logins_and_rotations
    }
    walks {
        a_walk_shows_each_session_as_it_is
        three_thousand_sessions_are_walked_beside_others
        the_sessions_with_a_tag_are_found
        prefixes_are_walked_apart
        a_walk_leaves_other_keys_out
        a_walk_takes_two_round_trips_for_each_page
    }
    index_races {
        two_logins_at_once_are_both_listed
        two_logins_into_one_place_leave_one
        a_list_that_tidies_up_leaves_a_login_at_once
        no_request_under_way_brings_an_ended_session_back
        an_end_follows_a_session_that_overtakes_it
        a_login_under_way_does_not_survive_the_end
    }
    touch {
        every_heartbeat_prolongs_if_due
        a_heartbeat_that_is_not_due_changes_nothing
        the_first_read_after_a_heartbeat_refreshes
        no_heartbeat_passes_the_absolute_deadline
        a_heartbeat_after_the_end_leaves_the_tombstone
        heartbeats_end_with_the_id_of_the_request
        a_heartbeat_without_a_session_asks_nothing
    }
    round_trips {
        the_table_of_round_trips_is_true
    }
}
