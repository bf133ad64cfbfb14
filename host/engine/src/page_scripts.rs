//! What is run in a page, made of scripts and what is known of the page.

use serde_json::json;

use crate::page_hooks::PageHooks;

/// Asks for the state as the agent does.
const IS_CONNECTED: &str = "(places, field, connected) => places.some((place) => {
  try {
    const [module, path] = place.split('#');
    const follow = (value, path) => path.split('.').reduce((value, step) => value?.[step], value);
    return follow(follow(window.require(module), path), field) === connected;
  } catch {
    return false;
  }
})";

/// What an agent is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentMode {
    /// Each new document's.
    First,
    /// It takes the place of one that does not answer.
    Again,
    /// It only looks for parts; no code leaves the page.
    Trial,
}

impl AgentMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
            Self::Trial => "trial",
        }
    }
}

impl PageHooks {
    /// True in a page that says that it is linked and connected; for when the agent
    /// can't be asked.
    pub(crate) fn is_connected_expression(&self) -> String {
        let (places, field) = (&self.parts["socket"], &self.fields.state);
        format!("({IS_CONNECTED})(...{})", json!([places, field, self.states.connected]))
    }

    /// The agent, ready to run in a page.
    pub(crate) fn agent_script(
        &self,
        binding: &str,
        handle: &str,
        mode: AgentMode,
    ) -> Result<String, serde_json::Error> {
        let agent = include_str!("scripts/agent.js").trim_end().trim_end_matches(';');
        let hooks = serde_json::to_string(self)?;
        Ok(format!("({agent}\n)({hooks}, {binding:?}, {handle:?}, {:?});", mode.as_str()))
    }
}
