//! What the handler says, as it says it.

use pairing_core::handler::HandlerName;
use serde_json::Value;

use super::host::Host;

/// A place in the handler's log.
pub(super) struct Lines {
    name: HandlerName,
    after: u64,
}

impl Lines {
    /// What was said before is left out.
    pub(super) async fn from_now(host: &Host, name: HandlerName) -> anyhow::Result<Self> {
        let mut lines = Self { name, after: 0 };
        // A handler that is new has no log yet.
        if let Ok(said) = host.lines(name, 0).await {
            lines.take(&said);
        }
        Ok(lines)
    }

    /// Shows what was said since. A host that does not answer just now is asked
    /// again.
    pub(super) async fn show(&mut self, host: &Host) {
        let Ok(said) = host.lines(self.name, self.after).await else { return };
        for line in self.take(&said) {
            let text = |member: &str| line[member].as_str().unwrap_or_default();
            println!("{:<5} {}: {}", text("level"), text("sessionName"), text("message"));
        }
    }

    fn take<'a>(&mut self, said: &'a Value) -> &'a [Value] {
        let lines = said["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last = lines.last().and_then(|line| line["number"].as_u64());
        self.after = last.unwrap_or(self.after);
        lines
    }
}
