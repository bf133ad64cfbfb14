//! Recorded events: each must end handled, or in an error that the handler
//! declares. Whatever it sends is answered with 200.

use std::fs;

use anyhow::Context as _;
use serde::Deserialize;

use super::{Histories, event_json::ApiEvent, report::HistoryReport, runtime::Trial};

/// So many events are asked for at once.
const PAGE: u32 = 1000;

#[derive(Deserialize)]
#[serde(untagged)]
enum Page {
    Whole { events: Vec<ApiEvent>, next: Option<String> },
    Events(Vec<ApiEvent>),
}

pub(super) fn play(trial: &mut Trial, histories: &Histories) -> anyhow::Result<HistoryReport> {
    let events = match histories {
        Histories::File(path) => {
            let about = || format!("{}", path.display());
            let text = fs::read_to_string(path).with_context(about)?;
            match serde_json::from_str(&text).with_context(about)? {
                Page::Whole { events, .. } | Page::Events(events) => events,
            }
        }
        Histories::Host(url, token) => trial.block_on(recorded(url, token))?,
    };
    let mut report = HistoryReport::default();
    for event in events {
        let event = event.read().context("a recorded event")?;
        if trial.wants(&event) {
            let name = format!("{} of {} ({})", event.id, event.session, event.data.kind());
            report.add(name, &trial.hand_over(event, 1, [])?);
        } else {
            report.others += 1;
        }
    }
    Ok(report)
}

async fn recorded(url: &url::Url, token: &str) -> anyhow::Result<Vec<ApiEvent>> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut events = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut page = url.join("whatsapp/events")?;
        page.query_pairs_mut().append_pair("limit", &PAGE.to_string());
        if let Some(after) = &after {
            page.query_pairs_mut().append_pair("after", after);
        }
        let could_not = || format!("could not read the journal of {url}");
        let answer = client.get(page).bearer_auth(token).send().await.with_context(could_not)?;
        let page = answer.error_for_status().with_context(could_not)?.json().await;
        match page.with_context(could_not)? {
            Page::Whole { events: more, next } => {
                events.extend(more);
                after = next;
            }
            Page::Events(more) => events.extend(more),
        }
        if after.is_none() {
            return Ok(events);
        }
    }
}
