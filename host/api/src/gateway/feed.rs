//! Events for one reader: first what it missed, from the journal, then what
//! happens, without a gap and without one twice.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use pairing_core::{event::Cursor, fan_out::Interest};
use pairing_sessions::{EventsError, Routed, Subscription, SubscriptionEnd};

use crate::{auth::Principal, state::Api};

/// Events that may wait for a reader.
const CAPACITY: usize = 256;
const PAGE: u32 = 200;
/// Events with a live code: what is still valid of them comes by itself.
const CODES: [&str; 2] = ["qr-code", "pairing-code"];
/// How soon the end of a token or sign-in is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

pub(crate) struct Feed {
    api: Api,
    interest: Interest,
    live: Subscription,
    /// Where reading from the journal goes on; none once it has caught up.
    missed_after: Option<Cursor>,
    /// Live codes are not in the journal: the present ones come once, after all
    /// that was missed.
    owes_codes: bool,
    ready: VecDeque<Arc<Routed>>,
    last: Cursor,
}

impl Feed {
    /// Feeds from after this place, or from now.
    pub(crate) async fn open(
        api: &Api,
        interest: Interest,
        after: Option<Cursor>,
    ) -> Result<Self, EventsError> {
        let live = api.sessions.events().subscribe(interest.clone(), CAPACITY);
        let position = live.position();
        let missed_after = after.filter(|after| *after < position);
        let last = missed_after.unwrap_or(position);
        let (api, ready) = (api.clone(), VecDeque::new());
        let mut feed = Self { api, interest, live, missed_after, owes_codes: true, ready, last };
        // An expired place is told at once, not in the middle.
        feed.read_on().await?;
        Ok(feed)
    }

    /// The next event. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Arc<Routed>, SubscriptionEnd> {
        loop {
            if let Some(routed) = self.ready.pop_front() {
                self.last = routed.id.unwrap_or(self.last);
                return Ok(routed);
            }
            if self.missed_after.is_some() {
                if let Err(error) = self.read_on().await {
                    tracing::warn!(%error, "a reader can't be fed; it must resume");
                    return Err(SubscriptionEnd::Overflow { last: self.last });
                }
                continue;
            }
            if self.owes_codes {
                let codes = self.api.sessions.current_codes(&self.interest).await;
                self.owes_codes = false;
                self.ready.extend(codes);
                continue;
            }
            let routed = self.live.next().await.map_err(|end| match end {
                SubscriptionEnd::Overflow { .. } => SubscriptionEnd::Overflow { last: self.last },
                other => other,
            })?;
            self.last = routed.id.unwrap_or(self.last);
            return Ok(routed);
        }
    }

    /// All up to here was handed out.
    pub(crate) fn last(&self) -> Cursor {
        self.last
    }

    async fn read_on(&mut self) -> Result<(), EventsError> {
        let Some(after) = self.missed_after else { return Ok(()) };
        let until = self.live.position();
        let page = self.api.sessions.events().page(&self.interest, after, PAGE).await?;
        let missed = page.deliveries.into_iter();
        // Codes of the past are void, and the journal does not hold them.
        let missed = missed.filter(|routed| !CODES.contains(&routed.name.as_str()));
        self.ready.extend(missed.filter(|routed| routed.id.is_some_and(|id| id <= until)));
        self.missed_after = Some(page.next).filter(|next| !page.at_end && *next < until);
        Ok(())
    }
}

impl Api {
    /// Returns when this caller's token or sign-in has ended.
    pub(crate) async fn until_void(&self, caller: &Principal) {
        loop {
            // As tokens go.
            let now = self.wall_clock.now();
            if now >= caller.expires_at {
                return;
            }
            if let Some(login) = caller.login
                // A database that is away ends nobody's socket.
                && matches!(self.logins.is_live(login.id).await, Ok(false))
            {
                return;
            }
            self.wall_clock.sleep_until(now.after(LOOK_AGAIN).min(caller.expires_at)).await;
        }
    }
}
