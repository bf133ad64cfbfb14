//! What the workflow is told.

use pairing_core::{
    command::Command,
    workflow::{Context, Input, PairingSettings},
};

use super::millis;
use crate::bindings::machine as wit;

pub(crate) fn input(input: &Input) -> wit::Input {
    match input {
        Input::HostStarted => wit::Input::HostStarted,
        Input::Command { id, command } => {
            wit::Input::Command(wit::CommandInput { id: *id, command: self::command(command) })
        }
        Input::Engine(report) => wit::Input::Engine(report.into()),
        Input::WakeUp => wit::Input::WakeUp,
    }
}

pub(crate) fn context(context: &Context) -> wit::Context {
    wit::Context {
        session_name: context.session_name.as_str().into(),
        now: context.now.0,
        seed: context.seed,
        input_number: context.input_number,
        settings: settings(&context.settings),
        extra: vec![("watched".into(), context.watched.to_string())],
    }
}

fn command(command: &Command) -> wit::Command {
    match command {
        Command::Init { expected_phone_number, confirm } => wit::Command::Init(wit::Init {
            expected_phone_number: expected_phone_number.clone(),
            confirm: *confirm,
        }),
        Command::RequestPairingCode { phone_number, confirm } => {
            wit::Command::RequestPairingCode(wit::CodeRequest {
                phone_number: phone_number.clone(),
                confirm: *confirm,
            })
        }
        Command::RefreshQr { confirm } => wit::Command::RefreshQr(*confirm),
        Command::Disconnect => wit::Command::Disconnect,
        Command::Reconnect => wit::Command::Reconnect,
        Command::Logout { confirm } => wit::Command::Logout(*confirm),
        Command::Delete { confirm } => wit::Command::Delete(*confirm),
    }
}

fn settings(settings: &PairingSettings) -> wit::Settings {
    wit::Settings {
        first_qr_lifetime: millis(settings.first_qr_lifetime),
        next_qr_lifetime: millis(settings.next_qr_lifetime),
        pairing_code_lifetime: millis(settings.pairing_code_lifetime),
        max_qr_rounds: settings.max_qr_rounds,
        boot_deadline: millis(settings.boot_deadline),
        link_deadline: millis(settings.link_deadline),
        first_retry_delay: millis(settings.first_retry_delay),
        max_retry_delay: millis(settings.max_retry_delay),
        max_pairing_restarts: settings.max_pairing_restarts,
        extra: vec![("auto-reconnect".into(), settings.auto_reconnect.to_string())],
    }
}
