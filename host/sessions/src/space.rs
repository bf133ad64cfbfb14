//! A disk that gets full: no browser starts without room for what it writes, and
//! whoever gets all events is told.

use pairing_core::{
    event::EventData,
    space::{Space, SpaceWatch},
};

use crate::sessions::Sessions;

impl Sessions {
    /// Follows the room that is left, until the host stops.
    pub async fn mind_space(&self, mut space: SpaceWatch) {
        let mut before = Space::Plenty;
        loop {
            let now = *space.borrow_and_update();
            self.hold_starts(now >= Space::NoStarts);
            // A database without room can't take it; the log has it, too.
            if now != before
                && let Err(error) = self.announce(&[alert(now)]).await
            {
                tracing::warn!(%error, "that the disk gets full could not be announced");
            }
            before = now;
            if space.changed().await.is_err() {
                return;
            }
        }
    }
}

fn alert(space: Space) -> EventData {
    let message = match space {
        Space::Plenty => "There is room on the host's disk again.",
        Space::Low => {
            "The host's disk is getting full. Make room, or browsers will not start soon."
        }
        Space::NoStarts => "The host's disk is nearly full: no browser starts until there is room.",
        Space::ReadOnly => "The host's disk is full: nothing is changed until there is room.",
    };
    let fields = [("code", "disk_space"), ("level", space.as_str()), ("message", message)];
    EventData::Other {
        kind: "alert".into(),
        fields: fields.map(|(name, value)| (name.into(), value.into())).into(),
    }
}
