//! What every store must do, as cases that each database's tests run.
//!
//! A store that passes them may be put in place of another. Faults of a single
//! database (a frozen server, a full disk) have tests beside its own.

#![expect(clippy::unwrap_used, reason = "these are tests")]

pub mod budgets;
pub mod deliveries;
pub mod evidence;
pub mod hooks;
pub mod journal;
pub mod kv;
pub mod logins;
pub mod plugins;
pub mod sessions;

use std::{future::Future, time::Duration};

use pairing_core::{
    clock::Timestamp,
    event::EventData,
    plugin::PluginDigest,
    session::{Account, Detail, Reason, SessionRecord, Status, View},
    store::{Commit, HistoryEntry, RecordedInput, StoreError},
};

/// One test for each case. `$open` is an async function that answers an empty
/// store (`Arc<dyn Store>`) and what must live as long as it.
#[macro_export]
macro_rules! contract_tests {
    ($open:ident) => {
        $crate::contract_tests!($open, sessions:
            a_session_comes_back_as_committed
            a_commit_out_of_turn_is_refused_and_changes_nothing
            contradictory_commits_are_refused
            a_repeated_commit_is_answered_and_not_done_again
            a_repeated_delete_is_answered_and_not_done_again
            one_of_many_writers_of_the_same_input_wins
            a_deleted_name_begins_anew
            history_and_inputs_come_in_pages
            schema_and_fuel_are_part_of_a_repeated_commit
        );
        $crate::contract_tests!($open, journal:
            an_empty_journal_has_bounds
            places_have_no_gaps_under_many_writers
            a_reader_never_sees_a_later_entry_first
            a_purge_keeps_the_newest
            a_purge_leaves_no_hole_when_the_clock_was_set_back
            the_hosts_own_events_stand_among_the_sessions
            the_check_passes
        );
        $crate::contract_tests!($open, evidence:
            what_was_seen_comes_back_beside_its_line_of_history
            of_each_session_the_newest_fifty_are_kept
            evidence_goes_with_its_session_and_with_its_line
            evidence_without_a_line_of_history_is_refused
        );
        $crate::contract_tests!($open, budgets:
            attempts_are_counted_until_they_leave_the_window
            all_budgets_are_charged_or_none
            of_many_racing_attempts_no_more_pass_than_there_are
            a_clock_that_was_set_back_frees_nobody_and_locks_nobody_out
            what_is_long_over_is_forgotten
        );
        $crate::contract_tests!($open, hooks:
            versions_come_back_newest_first_and_are_replaced
            of_racing_changes_one_is_the_next
        );
        $crate::contract_tests!($open, logins:
            usernames_are_unique_without_case
            set_up_is_claimed_once
            a_wrong_or_expired_set_up_token_is_refused
            racing_renewals_make_one_chain
            a_spent_token_is_accepted_again_within_grace_only
            a_reused_token_ends_the_login
            idle_and_old_logins_are_void
            a_new_password_ends_all_logins
            a_new_hash_of_the_same_password_ends_no_login
            removing_an_admin_ends_their_logins
            live_logins_are_told_apart
            old_logins_are_purged
        );
        $crate::contract_tests!($open, plugins:
            a_component_comes_back_byte_for_byte
            a_version_that_is_sent_again_keeps_its_first_sender
            versions_come_newest_first
            what_plugins_say_of_themselves_is_kept_whatever_it_is
            one_of_many_racing_activations_wins
            a_lost_race_writes_nothing
            a_slot_is_filled_with_a_known_version_only
            numbers_count_over_all_slots_without_gaps
            history_comes_in_pages_newest_first
            an_activation_replaces_the_pins
            pins_of_missing_sessions_are_skipped
            a_pin_ends_with_its_session
            sessions_may_end_while_pins_are_written
            native_code_is_replaced_and_kept_apart_by_compatibility
            verdicts_come_oldest_first
            parked_inputs_end_with_their_session
            only_the_newest_thousand_parked_are_kept
            handlers_fill_slots_of_their_own
        );
        $crate::contract_tests!($open, deliveries:
            a_subscription_comes_back_and_keeps_its_place
            progress_is_saved_whole_or_not_at_all
            who_was_moved_or_made_anew_is_not_written_by_who_read_it_before
            dead_letters_are_paged_requeued_and_purged
            one_sessions_events_are_read_in_order
            thousands_of_rows_are_saved_at_once_and_of_two_for_one_the_last
            what_the_journal_forgot_is_missing_and_lanes_and_dead_letters_stay
        );
        $crate::contract_tests!($open, kv:
            each_subscription_sees_its_own_values_alone
            of_racing_writers_one_is_first
            a_quota_is_held_to_the_byte
            keys_are_found_by_how_they_begin
        );
    };
    ($open:ident, $subject:ident: $($case:ident)+) => {
        mod $subject {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let (store, _alive) = super::$open().await;
                $crate::contract::$subject::$case(store).await;
            })+
        }
    };
}

/// A noon to count from.
const START: Timestamp = Timestamp(1_790_000_000_000);

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

/// Input `number` of `session`, with all that may go with one.
fn commit(session: &str, number: u64, events: Vec<EventData>) -> Commit {
    let detail = Some(Detail { percent: Some(42), ..Detail::default() });
    Commit {
        record: SessionRecord {
            name: session.parse().unwrap(),
            view: View {
                status: Status::Connecting,
                reason: Some(Reason::Loading),
                detail: detail.clone(),
                account: Some(Account {
                    phone_number: "5511999999999".to_owned(),
                    name: Some("Zoë \u{1F4F1} \"quoted\"".to_owned()),
                }),
                linked: true,
                expected_phone_number: Some("5511999999999".to_owned()),
                shown: None,
            },
            state: vec![0, 255, number.to_le_bytes()[0]],
            state_schema: 3,
            input_number: number,
            wake_up_at: number.is_multiple_of(2).then(|| at(number + 60)),
            created_at: at(0),
            updated_at: at(number),
        },
        input: RecordedInput {
            number,
            at: at(number),
            digest: PluginDigest("a".repeat(64).into()),
            state_schema: 3,
            fuel: 5_000_000_000 + number,
            input: format!("{{\"n\":{number}}}"),
            context: format!("{{\"seed\":{number}}}"),
            transition: format!("{{ \"spaces\" : \"stay\", \"n\":{number} }}"),
        },
        events,
        history: Some(HistoryEntry {
            input_number: number,
            at: at(number),
            status: Status::Connecting,
            reason: Some(Reason::Loading),
            detail,
            cause: "engine:loading".to_owned(),
            has_evidence: false,
        }),
        evidence: None,
        delete: false,
    }
}

fn loading(percent: u8) -> EventData {
    EventData::Loading { percent }
}

/// Repeats what was not available at the moment, as every caller does; a test
/// machine under load must not look like a fault.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 0..60 {
        match call().await {
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            done => return done,
        }
    }
    call().await
}
