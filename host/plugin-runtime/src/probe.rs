//! What a version must be able to do before it is let in: the same calls for
//! every version of a slot, each made twice, because the same call must always
//! give the same answer.

use std::{collections::BTreeSet, sync::Arc};

use pairing_core::{
    clock::Timestamp,
    command::Command,
    event::{CodeNotice, Cursor, EventData, JournalEvent},
    fan_out::{Interest, QR_CODE_PLACEHOLDER, Transport},
    id::SessionName,
    plugin::PluginError,
    renderer::{ImageFormat, RenderOptions},
    session::{Account, Status},
    workflow::{Context, EngineReport, Input, PairingSettings},
};

use crate::{
    bindings::{events, machine::VersionedState},
    call::Call,
    convert,
    loaded_version::{AnyVersion, LoadedVersion},
    plugin::{GuestHost, Version, World},
    runtime::Runtime,
    slots::{FanOutWorld, RendererWorld, WorkflowWorld, subscriptions},
};

/// As long as a real one.
const PAYLOAD: &str = "2@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,\
BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB,CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC,\
DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD,1";

/// A vector that a version did not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the test vector `{vector}` failed: {problem}")]
pub struct ProbeFailure {
    /// Which one.
    pub vector: &'static str,
    /// What went wrong.
    pub problem: String,
}

type Probed = Result<Vec<(String, u64)>, ProbeFailure>;

impl LoadedVersion {
    /// Plays the test vectors of its slot. Answers the fuel that each used.
    ///
    /// # Errors
    /// The first one that failed.
    pub async fn probe(&self, runtime: &Runtime) -> Probed {
        let (host, version) = (runtime.host().clone(), self.0.clone());
        let probing = move || match &version {
            AnyVersion::Workflow(version) => workflow(&host, version),
            AnyVersion::QrRenderer(version) => renderer(&host, version),
            AnyVersion::FanOut(version) => fan_out(&host, version),
            // What it does with an event is its own affair: that it can say what it is
            // was seen when it was loaded.
            AnyVersion::Handler(_) => Ok(Vec::new()),
        };
        let failed = |error: tokio::task::JoinError| ProbeFailure {
            vector: "all",
            problem: format!("the host failed: {error}"),
        };
        runtime.host().aside(probing).await.map_err(failed)?
    }
}

/// Makes the same call twice.
fn twice<W: World, T: PartialEq>(
    host: &Arc<GuestHost>,
    vector: &'static str,
    used: &mut Vec<(String, u64)>,
    run: impl Fn(&mut Call) -> Result<T, PluginError>,
) -> Result<T, ProbeFailure> {
    let once = || {
        let mut call = Call::begin(&host.engine, W::SLOT, &host.limits);
        let answer = run(&mut call);
        (answer, call.fuel_used())
    };
    let ((answer, fuel), (again, fuel_again)) = (once(), once());
    let failure = |problem: String| ProbeFailure { vector, problem };
    let answer = answer.map_err(|error| failure(error.to_string()))?;
    if again.as_ref().ok() != Some(&answer) || fuel != fuel_again {
        return Err(failure(
            "the same call gave two answers; whatever differs from call to call must come from \
             its arguments"
                .into(),
        ));
    }
    used.push((vector.into(), fuel));
    Ok(answer)
}

/// A session from its first command to its end.
fn workflow(host: &Arc<GuestHost>, version: &Version<WorkflowWorld>) -> Probed {
    let account = Account { phone_number: "5511999990001".into(), name: None };
    let command = |id, command| Input::Command { id, command };
    let init = Command::Init { expected_phone_number: None, confirm: false };
    let story = [
        ("init", command(1, init)),
        ("engine-started", Input::Engine(EngineReport::Started)),
        ("qr-made", Input::Engine(EngineReport::QrMade { begins_round: true })),
        ("wake-up", Input::WakeUp),
        ("authenticated", Input::Engine(EngineReport::Authenticated)),
        ("ready", Input::Engine(EngineReport::Ready(account))),
        ("host-started", Input::HostStarted),
        ("disconnect", command(8, Command::Disconnect)),
        ("delete", command(9, Command::Delete { confirm: true })),
    ];
    let mut used = Vec::new();
    let mut state: Option<VersionedState> = None;
    for (number, (vector, input)) in (1..).zip(story) {
        let context = convert::context(&Context {
            session_name: probed_session(),
            now: Timestamp(1_790_000_000_000 + number * 1000),
            seed: number,
            input_number: number,
            settings: PairingSettings::default(),
            watched: true,
        });
        let input = convert::input(&input);
        let transition = twice::<WorkflowWorld, _>(host, vector, &mut used, |call| {
            version.world.transition(call, &host.limits, state.as_ref(), &input, &context)
        })?;
        let schema_version = version.world.writes_schema;
        state = Some(VersionedState { schema_version, bytes: transition.state });
    }
    Ok(used)
}

fn renderer(host: &Arc<GuestHost>, version: &Version<RendererWorld>) -> Probed {
    let mut used = Vec::new();
    for (vector, format, begins) in
        [("png", ImageFormat::Png, &b"\x89PNG\r\n\x1a\n"[..]), ("svg", ImageFormat::Svg, &b"<"[..])]
    {
        let options = RenderOptions { format, ..RenderOptions::default() };
        let bytes = twice::<RendererWorld, _>(host, vector, &mut used, |call| {
            version.world.draw(call, &host.limits, PAYLOAD, options).map(|image| image.bytes)
        })?;
        if !bytes.starts_with(begins) {
            let problem = format!("what it drew is no {vector} file");
            return Err(ProbeFailure { vector, problem });
        }
    }
    Ok(used)
}

fn fan_out(host: &Arc<GuestHost>, version: &Version<FanOutWorld>) -> Probed {
    let notice = CodeNotice { sequence: 1, expires_at: Timestamp(1_790_000_020_000) };
    let changed = EventData::StatusUpdate {
        status: Status::Connecting,
        reason: None,
        detail: None,
        account: None,
    };
    let transports = [Transport::SocketIo, Transport::WebSocket, Transport::EventStream];
    let everything = |transport| Arc::new(Interest { transport, sessions: None, types: None });
    let other = Interest {
        transport: Transport::WebSocket,
        sessions: Some(BTreeSet::from([other_session()])),
        types: None,
    };
    let mut interests: Vec<_> = transports.map(everything).into();
    interests.push(Arc::new(other));
    let subscriptions = subscriptions(&interests);
    let mut used = Vec::new();
    for (vector, data) in [("status-update", changed), ("qr-code", EventData::QrCode(notice))] {
        let event = JournalEvent {
            id: Cursor(1),
            session: probed_session(),
            at: Timestamp(1_790_000_000_000),
            data,
        };
        let event = events::Event::from(&event);
        let deliveries = twice::<FanOutWorld, _>(host, vector, &mut used, |call| {
            version.world.route(call, &host.limits, &event, &subscriptions)
        })?;
        let failure = |problem: &str| Err(ProbeFailure { vector, problem: problem.into() });
        if deliveries.iter().any(|delivery| delivery.interest == transports.len()) {
            return failure("it serves a subscription for another session");
        }
        if deliveries.len() < transports.len() {
            return failure("it leaves out a subscription that wants all events");
        }
        let has_place = |body: &str| body.contains(&format!("\"{QR_CODE_PLACEHOLDER}\""));
        if vector == "qr-code" && !deliveries.iter().all(|delivery| has_place(&delivery.body)) {
            return failure(
                "a body has no place for the QR code: the string `{{qr-code}}` must stand there",
            );
        }
    }
    Ok(used)
}

fn probed_session() -> SessionName {
    SessionName::try_from("probe".to_owned()).expect("a name by the rule")
}

fn other_session() -> SessionName {
    SessionName::try_from("other".to_owned()).expect("a name by the rule")
}
