//! Writes what one input changes, until it is certain that it is written: after
//! an error of the connection nobody knows whether the transaction went through,
//! so nothing else may happen to the session before. The store recognises a
//! repeat. Meanwhile no caller is kept waiting.

use std::time::Duration;

use pairing_core::{
    event::JournalEvent,
    store::{Commit, Records, StoreError},
    workflow::Input,
};

use crate::commands::{CommandError, Mailbox, Replies};

/// First and longest delay between attempts.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// After so long without an answer the database counts as away: a database that
/// froze, or a network that swallows all, says nothing for much longer.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// Another writer wrote the session's row.
pub(crate) struct Overtaken;

pub(crate) async fn write(
    store: &dyn Records,
    commit: &Commit,
    input: &Input,
    replies: &mut Replies,
    mailbox: &mut Mailbox<'_>,
) -> Result<Vec<JournalEvent>, Overtaken> {
    let session = &commit.record.name;
    let mut delay = RETRY.0;
    loop {
        let attempt = store.commit(commit);
        tokio::pin!(attempt);
        let written = match tokio::time::timeout(PATIENCE, &mut attempt).await {
            Ok(written) => written,
            Err(_) => {
                tracing::warn!(session.name = %session, "the database does not answer; commands are refused until it does");
                let away = || unavailable("it does not answer");
                if let Input::Command { id, .. } = input {
                    replies.answer(*id, Err(away()));
                }
                mailbox.refuse_until(attempt, away).await
            }
        };
        let message = match written {
            Ok(events) => return Ok(events),
            Err(error @ StoreError::Conflict { .. }) => {
                tracing::error!(session.name = %session, %error, "the session is read anew");
                return Err(Overtaken);
            }
            Err(StoreError::Unavailable(message)) => message,
            // Perhaps an operator can do something about it.
            Err(error) => error.to_string(),
        };
        metrics::counter!("session_commit_retries_total").increment(1);
        tracing::warn!(session.name = %session, message, "an input could not be written; trying again");
        let away = || unavailable(&message);
        if let Input::Command { id, .. } = input {
            replies.answer(*id, Err(away()));
        }
        mailbox.refuse_until(tokio::time::sleep(delay), away).await;
        delay = (delay * 2).min(RETRY.1);
    }
}

fn unavailable(message: &str) -> CommandError {
    CommandError::Store(StoreError::Unavailable(message.to_owned()))
}
