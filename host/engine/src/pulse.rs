//! Whether the page still answers.

use std::pin::pin;

use serde_json::Value;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    config::Deadlines,
    page_link::{AskError, PageLink},
};

/// Asks the page again and again whether it is alive. Says false when an answer
/// is late and true when it comes after all; ends when none comes.
pub(crate) async fn pulse(
    link: PageLink,
    deadlines: Deadlines,
    said: mpsc::UnboundedSender<bool>,
) -> String {
    loop {
        sleep(deadlines.ping_every).await;
        let mut question = pin!(link.ask("ping", Value::Null, deadlines.ping * 2));
        let mut is_late = false;
        let answer = tokio::select! {
            answer = &mut question => answer,
            () = sleep(deadlines.ping) => {
                is_late = true;
                // The listener ends after this.
                let _ = said.send(false);
                question.await
            }
        };
        match answer {
            Err(error @ AskError::Deadline(_)) => return error.to_string(),
            _ if is_late => drop(said.send(true)),
            _ => {}
        }
    }
}
