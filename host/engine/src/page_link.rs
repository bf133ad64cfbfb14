//! The line to a page: attaching to a browser, opening the page with the agent
//! in it, and asking the agent.

use std::{sync::Arc, time::Duration};

use chromiumoxide::{
    Browser, Page,
    cdp::{
        browser_protocol::{
            browser::{SetDownloadBehaviorBehavior, SetDownloadBehaviorParams},
            inspector,
            network::{EventLoadingFailed, EventResponseReceived},
            page::EventFrameNavigated,
            target,
        },
        js_protocol::runtime::{AddBindingParams, EvaluateParams, EventBindingCalled},
    },
    error::CdpError,
    handler::HandlerConfig,
    listeners::EventStream,
};
use futures::StreamExt;
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

use crate::{
    agent_in_page::AgentInPage, agent_message::Answer, console_tail::ConsoleTail,
    page_hooks::PageHooks, page_scripts::AgentMode, user_agent::UserAgent,
};

/// A browser with one page of ours, at no address yet.
pub(crate) struct Attached {
    pub(crate) browser: Browser,
    pub(crate) link: PageLink,
    pub(crate) events: PageEvents,
    pub(crate) console: ConsoleTail,
    /// Ends with the connection to the browser.
    pub(crate) connection: JoinHandle<()>,
}

/// What the browser tells of the page.
pub(crate) struct PageEvents {
    pub(crate) spoken: EventStream<EventBindingCalled>,
    pub(crate) navigated: EventStream<EventFrameNavigated>,
    pub(crate) responded: EventStream<EventResponseReceived>,
    pub(crate) loading_failed: EventStream<EventLoadingFailed>,
    pub(crate) crashed: EventStream<inspector::EventTargetCrashed>,
    pub(crate) destroyed: EventStream<target::EventTargetDestroyed>,
}

impl Attached {
    pub(crate) async fn open(
        address: &str,
        hooks: &PageHooks,
        mode: AgentMode,
        user_agent: &UserAgent,
        answer_deadline: Duration,
    ) -> Result<Self, CdpError> {
        let config = HandlerConfig {
            // The library's default trusts every certificate.
            ignore_https_errors: false,
            // Events of newer browsers that the library does not know.
            ignore_invalid_messages: true,
            viewport: None,
            request_timeout: answer_deadline,
            ..HandlerConfig::default()
        };
        let (browser, mut handler) = Browser::connect_with_config(address, config).await?;
        // At fine levels the library logs whole messages, so also codes.
        let drive = async move {
            while let Some(step) = handler.next().await {
                if let Err(CdpError::Ws(_) | CdpError::Io(_) | CdpError::UnexpectedWsMessage(_)) =
                    step
                {
                    break;
                }
            }
        };
        let connection = tokio::spawn(drive.with_subscriber(NoSubscriber::new()));
        match Self::prepare(&browser, hooks, mode, user_agent).await {
            Ok((link, events, console)) => Ok(Self { browser, link, events, console, connection }),
            Err(error) => {
                connection.abort();
                Err(error)
            }
        }
    }

    async fn prepare(
        browser: &Browser,
        hooks: &PageHooks,
        mode: AgentMode,
        user_agent: &UserAgent,
    ) -> Result<(PageLink, PageEvents, ConsoleTail), CdpError> {
        let destroyed = browser.event_listener().await?;
        let page = browser.new_page("about:blank").await?;
        let events = PageEvents {
            spoken: page.event_listener().await?,
            navigated: page.event_listener().await?,
            responded: page.event_listener().await?,
            loading_failed: page.event_listener().await?,
            crashed: page.event_listener().await?,
            destroyed,
        };
        let link = PageLink { page, agent: Arc::new(AgentInPage::new(mode)) };
        let no_downloads = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        tokio::try_join!(
            browser.execute(no_downloads),
            link.page.execute(inspector::EnableParams::default()),
            link.page.execute(user_agent.as_override()),
            link.page.execute(AddBindingParams::new(&link.agent.binding)),
            link.put_agent(hooks),
        )?;
        let console = ConsoleTail::of(&link.page).await?;
        Ok((link, events, console))
    }
}

/// Asks the agent in the page.
#[derive(Debug, Clone)]
pub(crate) struct PageLink {
    pub(crate) page: Page,
    pub(crate) agent: Arc<AgentInPage>,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("the page did not answer within {0:?}")]
    Deadline(Duration),
    /// A reload came between, or the agent is not there yet.
    #[error("the page was reloaded meanwhile")]
    Interrupted,
    #[error("the page refused: {0}")]
    Refused(Value),
    #[error("the engine has ended")]
    Ended,
    #[error("the browser can't be asked: {0}")]
    Browser(String),
}

impl PageLink {
    pub(crate) async fn ask(
        &self,
        question: &str,
        details: Value,
        deadline: Duration,
    ) -> Result<Value, AskError> {
        let handle = &self.agent.handle;
        let expression = format!("window[{handle:?}]?.({question:?}, {details})");
        let mut evaluation = EvaluateParams::new(expression);
        evaluation.await_promise = Some(true);
        evaluation.return_by_value = Some(true);
        let answer = match timeout(deadline, self.page.execute(evaluation)).await {
            Err(_) | Ok(Err(CdpError::Timeout)) => return Err(AskError::Deadline(deadline)),
            Ok(Err(CdpError::Chrome(error))) if is_of_a_reload(&error.message) => {
                return Err(AskError::Interrupted);
            }
            Ok(Err(error)) => return Err(AskError::Browser(error.to_string())),
            Ok(Ok(answer)) => answer.result,
        };
        if answer.exception_details.is_some() {
            return Err(AskError::Interrupted);
        }
        // Without a value there is no agent: the document has just begun.
        let text =
            answer.result.value.as_ref().and_then(Value::as_str).ok_or(AskError::Interrupted)?;
        match serde_json::from_str(text) {
            Ok(Answer::Answer(value)) => Ok(value),
            Ok(Answer::Error(error)) => Err(AskError::Refused(error)),
            Err(_) => Err(AskError::Browser("the agent's answer can't be read".into())),
        }
    }
}

fn is_of_a_reload(message: &str) -> bool {
    ["context", "navigated", "Target closed", "Promise was collected"]
        .iter()
        .any(|sign| message.contains(sign))
}
