//! What every change log holds to. A rule is a function that takes a new, empty log.
//!
//! [`change_log_tests!`](crate::change_log_tests) makes a test of each, so that a failure names the rule.

mod agents;
mod asked;
mod batches;
mod bundles;
mod entries;
mod history;
mod loading;
mod relationships;
mod sample;
mod tokens;

pub use agents::*;
pub use batches::*;
pub use bundles::*;
pub use entries::*;
pub use history::*;
pub use loading::*;
pub use relationships::*;
pub use tokens::*;

/// Makes one test of each rule. `$make` is an async function without arguments whose answer dereferences to a
/// new, empty log, and keeps it until dropped.
#[macro_export]
macro_rules! change_log_tests {
    ($make:path) => {
        $crate::change_log_tests! { @each $make:
            a_new_log_stands_at_zero
            nothing_is_asked_for_an_empty_batch
            an_idle_log_sends_no_statement
            statements_are_counted
            numbers_follow_each_other_and_tags_differ
            the_head_is_the_last_change
            changes_come_back_as_they_were_answered
            a_page_of_changes_ends_at_its_limit
            a_change_comes_with_the_row_as_it_stands_when_read
            a_reader_at_the_head_gets_nothing
            a_cursor_of_another_history_is_forked
            a_reader_of_forgotten_changes_is_told
            the_newest_change_is_never_forgotten
            forgetting_leaves_the_rows
            writers_at_once_get_numbers_without_a_gap
            a_load_gives_what_the_changes_led_to
            a_load_is_of_one_moment
            a_refused_write_leaves_no_trace
            each_write_of_a_batch_sees_those_before_it
            all_is_done_whole
            all_is_undone_whole
            all_may_hold_all
            changes_of_a_batch_carry_the_rows_that_each_leaves
            a_row_made_and_removed_in_one_batch_is_gone
            an_entry_keeps_all_its_fields
            an_entry_is_ordered_by_the_number_of_its_creation
            a_similar_entry_is_refused_by_name
            an_entry_that_differs_in_one_selector_is_another
            selectors_that_print_alike_are_not_confused
            an_entry_id_is_taken_once
            an_update_replaces_the_revision_it_was_computed_from
            an_update_of_no_entry_is_not_found
            an_update_must_not_make_an_entry_similar
            an_update_may_leave_the_likeness
            a_likeness_moves_between_entries_in_one_batch
            a_deleted_entry_is_gone
            a_deleted_entry_leaves_its_id_and_likeness
            entry_changes_tell_parents_and_selectors
            an_entry_federates_with_stored_bundles_alone
            an_entry_may_federate_with_a_bundle_of_its_batch
            an_agent_keeps_all_its_fields
            a_new_agent_is_ordered_by_the_number_of_its_change
            an_agent_is_replaced_as_expected_or_not_at_all
            a_deleted_agent_is_gone
            a_bundle_keeps_all_its_fields
            a_bundle_is_replaced_as_expected_or_not_at_all
            a_bundle_in_use_is_kept
            deleting_a_bundle_may_delete_entries
            deleting_a_bundle_may_dissociate_entries
            an_unused_bundle_is_deleted_in_every_mode
            a_journal_is_replaced_and_removed
            a_relationship_keeps_all_its_fields
            a_relationship_is_replaced_as_expected_or_not_at_all
            a_deleted_relationship_is_gone_and_its_bundle_stays
            a_join_token_is_spent_once
            an_expired_join_token_is_refused_and_gone
            a_join_token_value_is_taken_once
            expired_join_tokens_are_swept
            a_sweep_of_nothing_makes_no_change
            a_join_token_is_spent_with_what_it_pays_for
            one_of_many_spenders_gets_the_token
        }
    };
    (@each $make:path: $($rule:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            let made = $make().await;
            $crate::change_log::$rule(&*made).await;
        }
    )*};
}
