//! What was seen when a session was repaired or its engine failed, for whoever
//! looks into it. Nothing in it is secret: console lines went through the log's
//! filter, and the picture was taken so coarse that no text can be read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a page that does not answer is brought back, from gentle to rough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepairStep {
    /// The agent in the page is put in place anew.
    Agent,
    /// The page is loaded anew.
    Reload,
    /// The browser ends and is started again.
    Restart,
}

impl RepairStep {
    /// On the wire, such as `reload`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Reload => "reload",
            Self::Restart => "restart",
        }
    }
}

/// One look at an engine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What is done next.
    pub repair: RepairStep,
    /// The page's own word for its state, such as `CONNECTED`; empty before it had one.
    pub page_state: String,
    /// The last step that the engine had finished or was in.
    pub step: String,
    /// Why.
    pub message: String,
    /// The last lines of page and browser, oldest first, without secrets.
    pub console: Vec<String>,
    /// PNG, of linked pages only, blurred; none where the page could not be seen.
    #[serde(skip)]
    pub screenshot: Option<Vec<u8>>,
}

/// Without the picture's bytes.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("repair", &self.repair)
            .field("page_state", &self.page_state)
            .field("step", &self.step)
            .field("message", &self.message)
            .field("console", &self.console)
            .field("screenshot_bytes", &self.screenshot.as_ref().map(Vec::len))
            .finish()
    }
}
