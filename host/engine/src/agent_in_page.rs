//! The agent's place in the page: put into every new document, changed for the
//! next one while the page runs, put anew where it does not answer, and loaded
//! anew with its page.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chromiumoxide::{
    cdp::{
        browser_protocol::page::{
            AddScriptToEvaluateOnNewDocumentParams, ReloadParams,
            RemoveScriptToEvaluateOnNewDocumentParams, ScriptIdentifier,
        },
        js_protocol::runtime::{
            AddBindingParams, EvaluateParams, EventBindingCalled, TerminateExecutionParams,
        },
    },
    error::CdpError,
};
use tokio::{sync::Mutex, time::timeout};

use crate::{page_hooks::PageHooks, page_link::PageLink, page_scripts::AgentMode};

/// Its names, unlike for each engine, so that the page can't look for them.
#[derive(Debug)]
pub(crate) struct AgentInPage {
    /// What all its bindings' names begin with.
    pub(crate) binding: String,
    pub(crate) handle: String,
    mode: AgentMode,
    /// So often it was put anew.
    renewals: AtomicU32,
    /// The script for new documents.
    script: Mutex<Option<ScriptIdentifier>>,
}

impl AgentInPage {
    pub(crate) fn new(mode: AgentMode) -> Self {
        use std::hash::{BuildHasher, RandomState};
        let word = || format!("_{:016x}", RandomState::new().hash_one(0));
        let script = Mutex::new(None);
        Self { binding: word(), handle: word(), mode, renewals: AtomicU32::new(0), script }
    }

    /// Whether the event is the agent's.
    pub(crate) fn is_speaking(&self, event: &EventBindingCalled) -> bool {
        event.name.starts_with(&self.binding)
    }
}

impl PageLink {
    /// From the next document on the agent has these hooks.
    pub(crate) async fn put_agent(&self, hooks: &PageHooks) -> Result<(), CdpError> {
        let AgentInPage { binding, handle, mode, .. } = &*self.agent;
        let script = hooks.agent_script(binding, handle, *mode)?;
        let mut before = self.agent.script.lock().await;
        let added = AddScriptToEvaluateOnNewDocumentParams::new(script);
        // The old one goes only now, so that no document is without an agent; of two
        // the second does nothing.
        let added = self.page.execute(added).await?.result.identifier;
        if let Some(before) = before.replace(added) {
            self.page.execute(RemoveScriptToEvaluateOnNewDocumentParams::new(before)).await?;
        }
        Ok(())
    }

    /// Puts the agent into the running document anew, in the place of one that does
    /// not answer. Whether it lives is heard from itself.
    pub(crate) async fn renew_agent(&self, hooks: &PageHooks) -> Result<(), CdpError> {
        let renewal = self.agent.renewals.fetch_add(1, Ordering::Relaxed);
        // The old binding is the old agent's.
        let binding = format!("{}{renewal}", self.agent.binding);
        let script = hooks.agent_script(&binding, &self.agent.handle, AgentMode::Again)?;
        let add = self.page.execute(AddBindingParams::new(binding));
        let (added, evaluated) = tokio::join!(add, self.page.execute(EvaluateParams::new(script)));
        added.and(evaluated).map(drop)
    }

    /// Loads the page anew. What keeps its scripts busy is broken off first: the old
    /// document has to give way.
    pub(crate) async fn reload(&self, patience: Duration) -> Result<(), CdpError> {
        let reload = self.page.execute(ReloadParams::default());
        let idle = self.page.execute(EvaluateParams::new("0"));
        if timeout(patience, idle).await.is_ok() {
            return reload.await.map(drop);
        }
        let break_off = self.page.execute(TerminateExecutionParams::default());
        let (broken_off, reloaded) = tokio::join!(break_off, reload);
        broken_off?;
        reloaded.map(drop)
    }
}
