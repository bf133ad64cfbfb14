//! The one task that owns a session: takes an input, asks the workflow, commits,
//! carries out. It alone writes the session's row; others send it a message or
//! read its snapshot.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use pairing_core::{
    clock::{SharedClock, Timestamp},
    command::{Outcome, RefusalCode},
    engine::EngineEvent,
    id::SessionName,
    plugin::PluginError,
    renderer::QrRenderer,
    session::{CodeKind, SessionRecord, View},
    store::{Commit, Records},
    workflow::{
        CommandId, Context, Decision, Effect, EngineReport, Input, PairingSettings, SharedWorkflow,
    },
};
use tokio::sync::mpsc;

use crate::{
    commands::{CommandError, CommandMessage, CommandReply, Replies},
    commit,
    committed::Committed,
    engine_lane::{EngineLane, LaneNews},
    event_bus::EventBus,
    live_code::{Codes, LiveCode},
    recording,
    snapshot::{SessionSnapshot, SharedSnapshot},
};

/// When an input could not be worked, the session is taken up anew after this.
const RETAKE_DELAY: Duration = Duration::from_secs(30);
/// A workflow that asks to be woken at once, again and again, gets this much rest.
const BETWEEN_WAKE_UPS: Duration = Duration::from_millis(100);

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Records>,
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

pub(crate) struct SessionTask {
    shared: Arc<Shared>,
    name: SessionName,
    /// None until the first input is committed.
    record: Option<SessionRecord>,
    lane: EngineLane,
    codes: Codes,
    replies: Replies,
    snapshot: SharedSnapshot,
    /// When the session is to be taken up anew, as after a restart.
    retake_at: Option<Timestamp>,
    /// A command that came before that, and waits for it.
    held: Option<CommandMessage>,
    /// No wake-up before this.
    rests_until: Timestamp,
}

impl SessionTask {
    pub(crate) fn new(
        shared: Arc<Shared>,
        name: SessionName,
        record: Option<SessionRecord>,
        lane: EngineLane,
        snapshot: SharedSnapshot,
    ) -> Self {
        Self {
            shared,
            name,
            record,
            lane,
            codes: Codes::default(),
            replies: Replies::default(),
            snapshot,
            retake_at: None,
            held: None,
            rests_until: Timestamp(0),
        }
    }

    /// Works inputs one after the other until the session ends.
    pub(crate) async fn run(mut self, mailbox: &mut mpsc::Receiver<CommandMessage>) -> TaskEnd {
        if self.record.is_some()
            && let ControlFlow::Break(end) = self.work(Input::HostStarted, mailbox).await
        {
            return end;
        }
        loop {
            let input = self.next_input(mailbox).await;
            if let ControlFlow::Break(end) = self.work(input, mailbox).await {
                return end;
            }
        }
    }

    async fn next_input(&mut self, mailbox: &mut mpsc::Receiver<CommandMessage>) -> Input {
        if let Some(message) = self.held.take() {
            return self.accept(message);
        }
        let clock = self.shared.clock.clone();
        let wake_up_at = self.record.as_ref().and_then(|record| record.wake_up_at);
        let wake_up_at = wake_up_at.map(|time| time.max(self.rests_until));
        tokio::select! {
            Some(message) = mailbox.recv() => {
                if self.retake_at.take().is_none() {
                    return self.accept(message);
                }
                self.held = Some(message);
                Input::HostStarted
            }
            news = self.lane.next() => self.hear(news),
            () = sleep_until(&clock, wake_up_at) => {
                self.rests_until = clock.now().after(BETWEEN_WAKE_UPS);
                Input::WakeUp
            }
            () = sleep_until(&clock, self.retake_at) => {
                self.retake_at = None;
                Input::HostStarted
            }
        }
    }

    fn accept(&mut self, message: CommandMessage) -> Input {
        let id = self.next_number();
        self.replies.expect(id, message.reply);
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
    async fn work(
        &mut self,
        input: Input,
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> ControlFlow<TaskEnd> {
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
                return ControlFlow::Continue(());
            }
        };
        let deletes = decision.transition.effects.contains(&Effect::DeleteSession);
        // The row goes last: if the host dies before, the deletion is repeated,
        // and neither browser nor profile is left without an owner.
        if deletes && self.lane.stop_and_wipe().await.is_err() {
            self.keep();
            return ControlFlow::Continue(());
        }
        let commit = match self.commit_for(&input, &context, &decision, deletes) {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(session.name = %self.name, %error, "an input could not be written as JSON");
                return ControlFlow::Continue(());
            }
        };
        // Side by side: together they are most of the way of a QR code.
        let (code, events) = tokio::join!(
            self.codes.to_show(commit.record.view.shown, &*self.shared.renderer),
            commit::write(&*self.shared.store, &commit, &input, &mut self.replies, mailbox),
        );
        let Ok(events) = events else { return ControlFlow::Break(TaskEnd::Overtaken) };
        metrics::counter!("session_inputs_total", "cause" => recording::cause(&input)).increment(1);
        let snapshot = SessionSnapshot::new(&commit.record, code.clone());
        self.snapshot.store((!deletes).then(|| Arc::new(snapshot)));
        self.record = Some(commit.record);
        self.shared.bus.publish(
            events.into_iter().map(|event| Committed::new(event, code.as_ref())).collect(),
        );
        self.codes.live = code;
        for effect in decision.transition.effects {
            self.carry_out(effect);
        }
        if deletes { ControlFlow::Break(TaskEnd::Deleted) } else { ControlFlow::Continue(()) }
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
        metrics::counter!("session_input_failures_total", "cause" => recording::cause(input))
            .increment(1);
        tracing::error!(session.name = %self.name, cause = recording::cause(input), %error, "an input could not be worked; the session's state stays as it is");
        match input {
            Input::Command { id, .. } => self.replies.answer(*id, Err(error.into())),
            _ => self.interrupt(|| CommandError::Plugin(error.clone())),
        }
    }

    /// The profile could not be removed, so the session is not deleted.
    fn keep(&mut self) {
        self.interrupt(|| CommandError::Refused {
            code: RefusalCode::EngineUnavailable,
            message: "the browser profile could not be removed, so the session was kept; \
                      the host's log says why"
                .into(),
        });
    }

    /// Stops what runs and forgets who waits; the session is taken up anew later.
    fn interrupt(&mut self, error: impl Fn() -> CommandError) {
        self.lane.stop();
        self.codes = Codes::default();
        self.replies.fail_all(error);
        if let Some(record) = &self.record {
            self.snapshot.store(Some(Arc::new(SessionSnapshot::new(record, None))));
            self.retake_at = Some(self.shared.clock.now().after(RETAKE_DELAY));
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

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::StartEngine => {
                self.codes = Codes::default();
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
            Outcome::CodeMade => match (&self.codes.live, &self.codes.pairing_code) {
                (Some(LiveCode { shown, .. }), Some(code))
                    if shown.kind == CodeKind::PairingCode =>
                {
                    Ok(CommandReply::CodeMade { code: code.clone(), expires_at: shown.expires_at })
                }
                _ => Err(CommandError::Interrupted),
            },
        };
        self.replies.answer(id, answer);
    }
}

async fn sleep_until(clock: &SharedClock, time: Option<Timestamp>) {
    match time {
        Some(time) => clock.sleep_until(time).await,
        None => std::future::pending().await,
    }
}
