//! A workflow without a sandbox. It knows just enough of pairing to move a
//! session through its states; the real transition table is a component.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Outcome, RefusalCode},
    event::EventData,
    plugin::{PluginDigest, PluginError, PluginInfo, Slot},
    session::{CodeKind, Reason, ShownCode, Status, View},
    workflow::{CommandId, Context, Decision, Effect, EngineReport, Input, Transition, Workflow},
};

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub enum WorkflowFault {
    /// As if the guest had failed.
    Fail(PluginError),
    /// As if the host itself had a mistake.
    Panic,
}

/// Decides, unless told to fail.
#[derive(Debug, Default)]
pub struct FakeWorkflow(Mutex<VecDeque<WorkflowFault>>);

#[derive(Serialize, Deserialize)]
struct State {
    view: View,
    sequence: u32,
    waits_for_code: Option<CommandId>,
}

impl FakeWorkflow {
    /// The next calls go wrong, one after the other.
    pub fn go_wrong(&self, faults: impl IntoIterator<Item = WorkflowFault>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// How many calls are still to go wrong.
    pub fn faults_left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Workflow for FakeWorkflow {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            slot: Slot::Workflow,
            digest: digest(),
            name: "fake".into(),
            version: "0.0.0".into(),
            source: "embedded".into(),
        }
    }

    async fn handle(
        &self,
        state: Option<(u32, &[u8])>,
        input: &Input,
        context: &Context,
    ) -> Result<Decision, PluginError> {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match fault {
            Some(WorkflowFault::Fail(error)) => return Err(error),
            Some(WorkflowFault::Panic) => panic!("the fake workflow was told to panic"),
            None => {}
        }
        let new = State { view: View::not_started(), sequence: 0, waits_for_code: None };
        let mut state = match state {
            Some((_, bytes)) => serde_json::from_slice(bytes).map_err(refuse)?,
            None => new,
        };
        let (events, effects) = state.decide(input, context);
        let transition = Transition {
            state: serde_json::to_vec(&state).map_err(refuse)?,
            wake_up_at: state.view.shown.map(|shown| shown.expires_at),
            view: state.view,
            events,
            effects,
        };
        Ok(Decision { transition, state_schema: 1, digest: digest(), fuel: 1 })
    }
}

impl State {
    fn decide(&mut self, input: &Input, context: &Context) -> (Vec<EventData>, Vec<Effect>) {
        let mut events = Vec::new();
        let mut effects = Vec::new();
        match input {
            Input::HostStarted => {
                self.waits_for_code = None;
                if self.view.reason != Some(Reason::Stopped) {
                    self.become_(Status::Connecting, Some(Reason::Starting));
                    effects.push(Effect::StartEngine);
                }
            }
            Input::WakeUp => self.view.shown = None,
            Input::Command { id, command } => self.obey(*id, command, &mut events, &mut effects),
            Input::Engine(report) => match report {
                EngineReport::QrMade { .. } => {
                    self.show(CodeKind::Qr, context.settings.next_qr_lifetime, context);
                }
                EngineReport::CodeMade => {
                    self.show(
                        CodeKind::PairingCode,
                        context.settings.pairing_code_lifetime,
                        context,
                    );
                    effects.extend(
                        self.waits_for_code
                            .take()
                            .map(|id| Effect::Reply { id, outcome: Outcome::CodeMade }),
                    );
                }
                EngineReport::CodeFailed(failure) => {
                    let outcome = Outcome::Refused {
                        code: RefusalCode::CodeRefused,
                        message: failure.message.clone(),
                    };
                    effects
                        .extend(self.waits_for_code.take().map(|id| Effect::Reply { id, outcome }));
                }
                EngineReport::Loading { percent } => {
                    events.push(EventData::Loading { percent: *percent });
                }
                EngineReport::Ready(account) => {
                    self.become_(Status::Connected, None);
                    self.view.account = Some(account.clone());
                    self.view.linked = true;
                    events.push(EventData::SessionConnected { account: account.clone() });
                }
                EngineReport::Failed(_) => {
                    self.become_(Status::Disconnected, Some(Reason::EngineCrashed));
                    events.push(EventData::SessionDisconnected { reason: Reason::EngineCrashed });
                }
                _ => {}
            },
        }
        (events, effects)
    }

    fn obey(
        &mut self,
        id: CommandId,
        command: &Command,
        events: &mut Vec<EventData>,
        effects: &mut Vec<Effect>,
    ) {
        match command {
            Command::RequestPairingCode { phone_number, .. } => {
                self.waits_for_code = Some(id);
                effects.push(Effect::RequestPairingCode { phone_number: phone_number.clone() });
                return;
            }
            Command::Init { .. } | Command::Reconnect => {
                self.become_(Status::Connecting, Some(Reason::Starting));
                effects.push(Effect::StartEngine);
            }
            Command::RefreshQr { .. } => effects.push(Effect::RefreshQr),
            Command::Disconnect => {
                self.become_(Status::Disconnected, Some(Reason::Stopped));
                effects.push(Effect::StopEngine);
            }
            Command::Logout { .. } => effects.push(Effect::LogOut),
            Command::Delete { .. } => {
                self.become_(Status::Disconnected, Some(Reason::LoggedOut));
                events.push(EventData::SessionDeleted);
                effects.push(Effect::DeleteSession);
            }
        }
        // Before the deletion, which must be the last.
        effects.insert(0, Effect::Reply { id, outcome: Outcome::Done("done".into()) });
    }

    fn become_(&mut self, status: Status, reason: Option<Reason>) {
        self.view.status = status;
        self.view.reason = reason;
        self.view.shown = None;
    }

    fn show(&mut self, kind: CodeKind, lifetime: std::time::Duration, context: &Context) {
        self.sequence += 1;
        self.view.status = Status::QrReady;
        self.view.reason = None;
        self.view.shown = Some(ShownCode {
            kind,
            sequence: self.sequence,
            expires_at: context.now.after(lifetime),
        });
    }
}

fn digest() -> PluginDigest {
    PluginDigest("0".repeat(64).into())
}

fn refuse(error: serde_json::Error) -> PluginError {
    PluginError::Refused { slot: Slot::Workflow, message: error.to_string() }
}
