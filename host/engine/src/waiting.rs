//! The patience with a page.

use tokio::time::Instant;

use crate::{
    config::Deadlines,
    story::{Expected, Story},
};

/// Until when what is expected must have come: the time starts anew when
/// something else is expected, or with progress.
#[derive(Default)]
pub(crate) struct Waiting {
    of: Option<(Expected, Option<u8>)>,
    due: Option<Instant>,
}

impl Waiting {
    pub(crate) fn until(&mut self, story: &Story, deadlines: &Deadlines) -> Option<Instant> {
        let now = (story.expected(), story.percent());
        if self.of != Some(now) {
            self.of = Some(now);
            let limit = match now.0 {
                Expected::Boot => Some(deadlines.boot),
                Expected::Sync => Some(deadlines.sync),
                Expected::LogOut => Some(deadlines.log_out),
                Expected::Nothing => None,
            };
            self.due = limit.map(|limit| Instant::now() + limit);
        }
        self.due
    }
}
