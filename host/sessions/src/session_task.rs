//! The one task that owns a session: takes an input, asks the workflow, commits,
//! carries out. It alone writes the session's row; others send it a message or
//! read its snapshot.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use pairing_core::{
    clock::{SharedClock, Timestamp},
    command::{Command, Outcome},
    engine::EngineEvent,
    id::SessionName,
    plugin::PluginError,
    renderer::{QrRenderer, RenderOptions},
    session::{CodeKind, SessionRecord, ShownCode, View},
    store::{Commit, Store, StoreError},
    workflow::{
        CommandId, Context, Decision, Effect, EngineReport, Input, PairingSettings, SharedWorkflow,
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot};

use crate::{
    engine_lane::{EngineLane, LaneNews},
    event_bus::{Committed, EventBus},
    live_code::{LiveCode, data_url},
    recording,
    snapshot::SessionSnapshot,
    supervisor::{CommandError, CommandReply},
};

/// When an input could not be worked, the session is taken up anew after this.
const RETAKE_DELAY: Duration = Duration::from_secs(30);
/// First and longest delay between attempts to write to a database that is away.
const COMMIT_RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A command on its way, with the caller's end of the reply.
pub(crate) struct CommandMessage {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<CommandReply, CommandError>>,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) workflow: SharedWorkflow,
    pub(crate) renderer: Arc<dyn QrRenderer>,
    pub(crate) clock: SharedClock,
    pub(crate) settings: PairingSettings,
    pub(crate) bus: EventBus,
}

/// Why the task came to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TaskEnd {
    /// The session was deleted.
    Deleted,
    /// Somebody else wrote the session's row: it must be read anew.
    Overtaken,
}

/// The latest secrets that the engine gave, whether shown or not.
#[derive(Default)]
struct EngineCodes {
    qr: Option<SecretString>,
    pairing_code: Option<SecretString>,
}

pub(crate) struct SessionTask {
    shared: Arc<Shared>,
    name: SessionName,
    /// None until the first input is committed.
    record: Option<SessionRecord>,
    lane: EngineLane,
    codes: EngineCodes,
    live: Option<LiveCode>,
    replies: HashMap<CommandId, oneshot::Sender<Result<CommandReply, CommandError>>>,
    snapshot: Arc<ArcSwapOption<SessionSnapshot>>,
    retake_at: Option<Timestamp>,
}

impl SessionTask {
    pub(crate) fn new(
        shared: Arc<Shared>,
        name: SessionName,
        record: Option<SessionRecord>,
        lane: EngineLane,
        snapshot: Arc<ArcSwapOption<SessionSnapshot>>,
    ) -> Self {
        Self {
            shared,
            name,
            record,
            lane,
            codes: EngineCodes::default(),
            live: None,
            replies: HashMap::new(),
            snapshot,
            retake_at: None,
        }
    }

    /// Works inputs one after the other until the session ends.
    pub(crate) async fn run(mut self, mailbox: &mut mpsc::Receiver<CommandMessage>) -> TaskEnd {
        let mut next = self.record.is_some().then_some(Input::HostStarted);
        loop {
            let input = match next.take() {
                Some(input) => input,
                None => self.next_input(mailbox).await,
            };
            match self.work(input).await {
                ControlFlow::Continue(follow_up) => next = follow_up,
                ControlFlow::Break(end) => return end,
            }
        }
    }

    async fn next_input(&mut self, mailbox: &mut mpsc::Receiver<CommandMessage>) -> Input {
        let wake_up_at = self.record.as_ref().and_then(|record| record.wake_up_at);
        let clock = self.shared.clock.clone();
        tokio::select! {
            Some(message) = mailbox.recv() => self.accept(message),
            news = self.lane.next() => self.hear(news),
            () = sleep_until(&clock, wake_up_at) => Input::WakeUp,
            () = sleep_until(&clock, self.retake_at) => {
                self.retake_at = None;
                Input::HostStarted
            }
        }
    }

    fn accept(&mut self, message: CommandMessage) -> Input {
        let id = self.next_number();
        self.replies.insert(id, message.reply);
        Input::Command { id, command: message.command }
    }

    fn hear(&mut self, news: LaneNews) -> Input {
        Input::Engine(match news {
            LaneNews::CodeMade(code) => {
                self.codes.pairing_code = Some(code);
                EngineReport::CodeMade
            }
            LaneNews::Engine(EngineEvent::Qr { payload, begins_round }) => {
                self.codes.qr = Some(payload);
                EngineReport::QrMade { begins_round }
            }
            LaneNews::Engine(EngineEvent::Report(report)) => {
                if let EngineReport::Failed(failure) = &report {
                    tracing::warn!(session.name = %self.name, %failure, "the engine failed");
                    // Whatever is left of it must not be heard of again.
                    self.lane.stop();
                }
                report
            }
        })
    }

    fn next_number(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.input_number) + 1
    }

    fn view(&self) -> View {
        self.record.as_ref().map_or_else(View::not_started, |record| record.view.clone())
    }

    /// One input from end to end.
    async fn work(&mut self, input: Input) -> ControlFlow<TaskEnd, Option<Input>> {
        let context = Context {
            session_name: self.name.clone(),
            now: self.shared.clock.now(),
            seed: rand::random(),
            input_number: self.next_number(),
            settings: self.shared.settings.clone(),
        };
        let decision = match self.decide(&input, &context).await {
            Ok(decision) => decision,
            Err(error) => {
                self.give_up(&input, error);
                return ControlFlow::Continue(None);
            }
        };
        let deletes = decision.transition.effects.contains(&Effect::DeleteSession);
        if deletes {
            // The row goes last: if the host dies before, the deletion is
            // repeated, and neither browser nor profile is left without an owner.
            self.lane.stop();
            self.lane.wipe();
            self.lane.flush().await;
        }
        let code = self.code_to_show(decision.transition.view.shown).await;
        let commit = match self.commit_for(&input, &context, &decision, deletes) {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(session.name = %self.name, %error, "an input could not be written as JSON");
                return ControlFlow::Continue(None);
            }
        };
        let events = match self.commit(&commit, &input).await {
            Ok(events) => events,
            Err(end) => return ControlFlow::Break(end),
        };
        self.live.clone_from(&code);
        let snapshot = SessionSnapshot::new(&commit.record, code.clone());
        self.snapshot.store((!deletes).then(|| Arc::new(snapshot)));
        self.record = Some(commit.record);
        let committed =
            events.into_iter().map(|event| Committed { event, code: code.clone() }).collect();
        self.shared.bus.publish(committed);
        for effect in decision.transition.effects {
            self.carry_out(effect);
        }
        if deletes { ControlFlow::Break(TaskEnd::Deleted) } else { ControlFlow::Continue(None) }
    }

    /// Asks the workflow, once more if the first call was cut off.
    async fn decide(&self, input: &Input, context: &Context) -> Result<Decision, PluginError> {
        let state = self.record.as_ref().map(|record| (record.state_schema, &record.state[..]));
        match self.shared.workflow.handle(state, input, context).await {
            Err(error) if !matches!(error, PluginError::Refused { .. }) => {
                tracing::warn!(session.name = %self.name, %error, "the workflow is asked once more");
                self.shared.workflow.handle(state, input, context).await
            }
            answer => answer,
        }
    }

    /// The workflow gave no answer: the state stays. A caller is told; for any
    /// other input the session is taken up anew later, as after a restart.
    fn give_up(&mut self, input: &Input, error: PluginError) {
        tracing::error!(session.name = %self.name, cause = recording::cause(input), %error, "an input could not be worked; the session's state stays as it is");
        match input {
            Input::Command { id, .. } => self.answer(*id, Err(CommandError::Plugin(error))),
            _ => {
                self.lane.stop();
                self.retake_at = Some(self.shared.clock.now().after(RETAKE_DELAY));
            }
        }
    }

    fn commit_for(
        &self,
        input: &Input,
        context: &Context,
        decision: &Decision,
        delete: bool,
    ) -> Result<Commit, serde_json::Error> {
        let before = self.view();
        let transition = &decision.transition;
        let created_at = self.record.as_ref().map_or(context.now, |record| record.created_at);
        Ok(Commit {
            record: SessionRecord {
                name: self.name.clone(),
                view: transition.view.clone(),
                state: transition.state.clone(),
                state_schema: decision.state_schema,
                input_number: context.input_number,
                wake_up_at: transition.wake_up_at,
                created_at,
                updated_at: context.now,
            },
            input: recording::record(input, context, decision)?,
            events: recording::events(&before, decision),
            history: recording::history(&before, input, context, decision),
            delete,
        })
    }

    /// Writes until it is certain that it is written: after an error of the
    /// connection nobody knows whether the transaction went through, so nothing
    /// else may happen to this session before. The store recognises a repeat.
    async fn commit(
        &mut self,
        commit: &Commit,
        input: &Input,
    ) -> Result<Vec<pairing_core::event::JournalEvent>, TaskEnd> {
        let mut delay = COMMIT_RETRY.0;
        loop {
            match self.shared.store.commit(commit).await {
                Ok(events) => return Ok(events),
                Err(StoreError::Unavailable(message)) => {
                    tracing::warn!(session.name = %self.name, message, "the database is away; trying again");
                    if let Input::Command { id, .. } = input {
                        let error = StoreError::Unavailable(message);
                        self.answer(*id, Err(CommandError::Store(error)));
                    }
                }
                Err(error @ StoreError::Conflict { .. }) => {
                    tracing::error!(session.name = %self.name, %error, "the session is read anew");
                    return Err(TaskEnd::Overtaken);
                }
                Err(error) => {
                    tracing::error!(session.name = %self.name, %error, "an input could not be written; trying again");
                }
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(COMMIT_RETRY.1);
        }
    }

    /// The secret that belongs to what the workflow wants shown.
    async fn code_to_show(&self, shown: Option<ShownCode>) -> Option<LiveCode> {
        let shown = shown?;
        let is_same = |live: &&LiveCode| live.shown.sequence == shown.sequence;
        if let Some(live) = self.live.as_ref().filter(is_same) {
            return Some(LiveCode { shown, ..live.clone() });
        }
        match shown.kind {
            CodeKind::PairingCode => {
                let code = self.codes.pairing_code.as_ref()?;
                let text = Some(code.expose_secret().into());
                Some(LiveCode { shown, text, payload: None })
            }
            CodeKind::Qr => {
                let payload = self.codes.qr.clone()?;
                let text =
                    match self.shared.renderer.render(&payload, RenderOptions::default()).await {
                        Ok(image) => Some(data_url(&image)),
                        Err(error) => {
                            tracing::error!(session.name = %self.name, %error, "the QR code could not be drawn");
                            None
                        }
                    };
                Some(LiveCode { shown, text, payload: Some(payload) })
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::StartEngine => {
                self.codes = EngineCodes::default();
                self.lane.start();
            }
            Effect::StopEngine => self.lane.stop(),
            Effect::RefreshQr => self.lane.refresh_qr(),
            Effect::RequestPairingCode { phone_number } => {
                self.lane.request_pairing_code(phone_number);
            }
            Effect::LogOut => self.lane.log_out(),
            Effect::WipeProfile => self.lane.wipe(),
            Effect::Reply { id, outcome } => self.reply(id, outcome),
            // Done before the commit, see `work`.
            Effect::DeleteSession => {}
        }
    }

    fn reply(&mut self, id: CommandId, outcome: Outcome) {
        let answer = match outcome {
            Outcome::Done(message) => Ok(CommandReply::Done { message }),
            Outcome::Refused { code, message } => Err(CommandError::Refused { code, message }),
            Outcome::CodeMade => match (&self.live, &self.codes.pairing_code) {
                (Some(live), Some(code)) if live.shown.kind == CodeKind::PairingCode => {
                    let expires_at = live.shown.expires_at;
                    Ok(CommandReply::CodeMade { code: code.clone(), expires_at })
                }
                _ => Err(CommandError::Interrupted),
            },
        };
        self.answer(id, answer);
    }

    fn answer(&mut self, id: CommandId, answer: Result<CommandReply, CommandError>) {
        if let Some(reply) = self.replies.remove(&id) {
            // The caller may have gone; what it asked for is done all the same.
            let _ = reply.send(answer);
        }
    }
}

async fn sleep_until(clock: &SharedClock, time: Option<Timestamp>) {
    match time {
        Some(time) => clock.sleep_until(time).await,
        None => std::future::pending().await,
    }
}
