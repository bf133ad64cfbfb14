//! The one task that owns a session: takes an input, asks the workflow, commits,
//! carries out. It alone writes the session's row; others send it a message or
//! read its snapshot.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use pairing_core::{
    clock::{SharedClock, Timestamp},
    command::{Outcome, RefusalCode},
    engine::EngineEvent,
    evidence::Evidence,
    id::SessionName,
    plugin::PluginError,
    renderer::QrRenderer,
    session::{CodeKind, Reason, SessionRecord, View},
    store::{Commit, Records},
    workflow::{
        CommandId, Context, Decision, Effect, EngineReport, Input, PairingSettings, SharedWorkflow,
    },
};
use tokio::sync::mpsc;

use crate::{
    asking,
    browser_slots::{BrowserSlots, TakingUp, Urgency},
    commands::{CommandError, CommandMessage, CommandReply, Mailbox, Replies},
    commit,
    committed::Committed,
    engine_lane::{EngineLane, LaneNews, WantedStart},
    event_bus::EventBus,
    live_code::{Codes, Drawing, LiveCode},
    parking, recording,
    snapshot::{SessionSnapshot, SharedSnapshot},
    watching::Watching,
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
    pub(crate) watching: Watching,
    pub(crate) slots: BrowserSlots,
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
    /// What was seen with the report that is worked now.
    seen: Option<Evidence>,
    /// When the session is to be taken up anew, as after a restart.
    retake_at: Option<Timestamp>,
    /// No wake-up before this.
    rests_until: Timestamp,
    /// The engine's start that was ordered last.
    start: Option<OrderedStart>,
    /// Until it is known whether the session wants its browser after the host's
    /// start.
    taking_up: Option<TakingUp>,
}

/// The wait for a turn is not the session's: its deadline moves by as much.
struct OrderedStart {
    run: u64,
    at: Timestamp,
    wake_up_at: Option<Timestamp>,
}

impl SessionTask {
    pub(crate) fn new(
        shared: Arc<Shared>,
        name: SessionName,
        record: Option<SessionRecord>,
        lane: EngineLane,
        snapshot: SharedSnapshot,
        taking_up: Option<TakingUp>,
    ) -> Self {
        Self {
            shared,
            name,
            record,
            lane,
            codes: Codes::default(),
            replies: Replies::default(),
            snapshot,
            seen: None,
            retake_at: None,
            rests_until: Timestamp(0),
            start: None,
            taking_up,
        }
    }

    /// Works inputs one after the other until the session ends.
    pub(crate) async fn run(mut self, mailbox: &mut mpsc::Receiver<CommandMessage>) -> TaskEnd {
        let mailbox = &mut Mailbox::new(mailbox);
        if self.record.is_some()
            && let ControlFlow::Break(end) = self.work(Input::HostStarted, mailbox).await
        {
            return end;
        }
        self.taking_up = None;
        loop {
            let input = self.next_input(mailbox).await;
            if let ControlFlow::Break(end) = self.work(input, mailbox).await {
                return end;
            }
        }
    }

    async fn next_input(&mut self, mailbox: &mut Mailbox<'_>) -> Input {
        if let Some(message) = mailbox.take_held() {
            return self.accept(message);
        }
        let clock = self.shared.clock.clone();
        let mut turns = self.lane.turns();
        loop {
            let wake_up_at = self.wake_up_at();
            tokio::select! {
                message = mailbox.next() => {
                    if self.retake_at.take().is_none() {
                        return self.accept(message);
                    }
                    mailbox.hold(message);
                    return Input::HostStarted;
                }
                news = self.lane.next() => return self.hear(news),
                () = sleep_until(&clock, wake_up_at) => {
                    self.rests_until = clock.now().after(BETWEEN_WAKE_UPS);
                    return Input::WakeUp;
                }
                () = sleep_until(&clock, self.retake_at) => {
                    self.retake_at = None;
                    return Input::HostStarted;
                }
                () = sleep_until(&clock, self.codes.draw_again_at()) => self.draw_again().await,
                // The deadline is known now.
                Ok(()) = turns.changed() => {}
            }
        }
    }

    /// When the session is to be woken; not while its engine waits for its turn.
    fn wake_up_at(&self) -> Option<Timestamp> {
        let wanted = self.record.as_ref()?.wake_up_at?;
        let moved = match &self.start {
            Some(start) if (start.run, start.wake_up_at) == (self.lane.run(), Some(wanted)) => {
                wanted.after(self.lane.turn_at()?.since(start.at))
            }
            _ => wanted,
        };
        Some(moved.max(self.rests_until))
    }

    /// The image of a code that was announced without.
    async fn draw_again(&mut self) {
        let Shared { renderer, clock, bus, .. } = &*self.shared;
        let drawing = Drawing { session: &self.name, renderer: &**renderer, clock };
        if self.codes.draw_again(drawing).await
            && let Some(record) = &self.record
        {
            let snapshot =
                SessionSnapshot::new(record, self.codes.live.clone(), &self.shared.slots);
            bus.publish(Committed::shown_by(&snapshot, clock.now()).into_iter().collect());
            self.snapshot.store(Some(Arc::new(snapshot)));
        }
    }

    fn accept(&mut self, message: CommandMessage) -> Input {
        let id = self.next_number();
        self.lane.hasten();
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
            LaneNews::Engine(EngineEvent::Report(report)) => self.heed(report),
            LaneNews::Engine(EngineEvent::Evidenced { report, evidence }) => {
                self.seen = Some(*evidence);
                self.heed(report)
            }
        })
    }

    fn heed(&mut self, report: EngineReport) -> EngineReport {
        if let EngineReport::Failed(failure) = &report {
            tracing::warn!(session.name = %self.name, %failure, "the engine failed");
        }
        if let EngineReport::Failed(_) | EngineReport::Stopped = &report {
            // Whatever is left of it must not be heard of again.
            self.lane.stop();
        }
        report
    }

    fn next_number(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.input_number) + 1
    }

    fn view(&self) -> View {
        self.record.as_ref().map_or_else(View::not_started, |record| record.view.clone())
    }

    /// One input from end to end.
    async fn work(&mut self, input: Input, mailbox: &mut Mailbox<'_>) -> ControlFlow<TaskEnd> {
        let seen = self.seen.take();
        let context = Context {
            session_name: self.name.clone(),
            now: self.shared.clock.now(),
            seed: rand::random(),
            input_number: self.next_number(),
            settings: self.shared.settings.clone(),
            watched: self.shared.watching.is_watched(&self.name),
        };
        let asked =
            asking::ask(&self.shared, self.record.as_ref(), &input, &context, mailbox).await;
        let decision = match asked {
            Ok(decision) => decision,
            Err(error) => {
                self.give_up(&input, &context, error).await;
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
        let commit = match self.commit_for(&input, &context, &decision, seen, deletes) {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(session.name = %self.name, %error, "an input could not be written as JSON");
                return ControlFlow::Continue(());
            }
        };
        let Shared { renderer, clock, .. } = &*self.shared;
        let drawing = Drawing { session: &self.name, renderer: &**renderer, clock };
        // Side by side: together they are most of the way of a QR code.
        let (code, events) = tokio::join!(
            self.codes.to_show(commit.record.view.shown, drawing),
            commit::write(&*self.shared.store, &commit, &input, &mut self.replies, mailbox),
        );
        let Ok(events) = events else { return ControlFlow::Break(TaskEnd::Overtaken) };
        metrics::counter!("session_inputs_total", "cause" => input.cause()).increment(1);
        let snapshot = SessionSnapshot::new(&commit.record, code.clone(), &self.shared.slots);
        self.snapshot.store((!deletes).then(|| Arc::new(snapshot)));
        self.record = Some(commit.record);
        self.shared.bus.publish(
            events.into_iter().map(|event| Committed::new(event, code.as_ref())).collect(),
        );
        self.codes.live = code;
        let urgency = match input {
            Input::Command { .. } => Urgency::Person,
            _ => Urgency::Automatic,
        };
        for effect in decision.transition.effects {
            self.carry_out(effect, urgency);
        }
        if deletes { ControlFlow::Break(TaskEnd::Deleted) } else { ControlFlow::Continue(()) }
    }

    /// The workflow gave no answer: the state stays. A caller is told; for any
    /// other input the session is taken up anew later, as after a restart.
    async fn give_up(&mut self, input: &Input, context: &Context, error: PluginError) {
        let cause = input.cause();
        if error.is_temporary() {
            tracing::warn!(session.name = %self.name, cause, kind = error.kind(), "the workflow is not called; nothing was tried");
        } else {
            metrics::counter!("session_input_failures_total", "cause" => cause).increment(1);
            tracing::error!(session.name = %self.name, cause, kind = error.kind(), "an input could not be worked; it is parked, and the session's state stays as it is");
            parking::park_input(&*self.shared.store, input, context, &error).await;
        }
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
            let snapshot = SessionSnapshot::new(record, None, &self.shared.slots);
            self.snapshot.store(Some(Arc::new(snapshot)));
            self.retake_at = Some(self.shared.clock.now().after(RETAKE_DELAY));
        }
    }

    fn commit_for(
        &self,
        input: &Input,
        context: &Context,
        decision: &Decision,
        evidence: Option<Evidence>,
        delete: bool,
    ) -> Result<Commit, serde_json::Error> {
        let before = self.view();
        let transition = &decision.transition;
        let created_at = self.record.as_ref().map_or(context.now, |record| record.created_at);
        let updated_at = match (&self.record, input) {
            // It did nothing; and who was active last must be known after the next
            // restart, too.
            (Some(record), Input::HostStarted) => record.updated_at,
            _ => context.now,
        };
        Ok(Commit {
            record: SessionRecord {
                name: self.name.clone(),
                view: transition.view.clone(),
                state: transition.state.clone(),
                state_schema: decision.state_schema,
                input_number: context.input_number,
                wake_up_at: transition.wake_up_at,
                created_at,
                updated_at,
            },
            input: recording::record(input, context, decision)?,
            events: recording::events(&before, decision),
            history: recording::history(&before, input, context, decision, evidence.as_ref()),
            evidence,
            delete,
        })
    }

    fn carry_out(&mut self, effect: Effect, urgency: Urgency) {
        match effect {
            Effect::StartEngine => self.start_engine(urgency),
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

    fn start_engine(&mut self, urgency: Urgency) {
        let record = self.record.as_ref();
        let last_active = record.map_or(Timestamp(0), |record| record.updated_at);
        let wake_up_at = record.and_then(|record| record.wake_up_at);
        self.codes = Codes::default();
        let taking_up = self.taking_up.take();
        self.lane.start(WantedStart { urgency, last_active, taking_up });
        // Who asked for a link to be given up has an answer in time all the same.
        let reason = self.record.as_ref().and_then(|record| record.view.reason);
        let is_for_unlinking = urgency == Urgency::Person && reason == Some(Reason::Other);
        let now = self.shared.clock.now();
        self.start = (!is_for_unlinking).then_some(OrderedStart {
            run: self.lane.run(),
            at: now,
            wake_up_at,
        });
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
