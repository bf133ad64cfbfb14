//! A workflow for tests, which behaves as a text within it says: tests write
//! another text of the same length into the compiled component and so have as many
//! versions as they like, each with its own digest.
//!
//! It counts inputs; its state is the count and its version as text, such as
//! `3 0.1.0`, behind a `#` from schema 2 on. It answers every command with the count,
//! so that two versions decide the same and only their states tell them apart.

pub mod bindings;

use bindings::exports::pairing_console::workflow::machine::{
    Command, Context, Description, Effect, Guest, Input, Outcome, Reply, Transition,
    VersionedState, View, WorkflowError,
};
use bindings::pairing_console::types::types::Status;

/// Version and mode, each with its length fixed by padding with `-`.
#[used]
static SETTING: [u8; 48] = *b"chameleon version=0.1.0--------- mode=plain-----";

/// An hour after tests begin: the modes `later` and `later2` fail from then on.
const LATER: u64 = 1_790_003_600_000;

/// The component.
pub struct Chameleon;

/// What follows `name=` in the setting.
fn setting(name: &str) -> String {
    // The compiler must not know what stands there.
    let setting = core::hint::black_box(&SETTING);
    let text = String::from_utf8_lossy(setting);
    let found = text.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_default().trim_end_matches('-').to_owned()
}

/// The schema that it writes, and those that it reads.
fn schemas() -> (u32, Vec<u32>) {
    match setting("mode").as_str() {
        "schema2" | "trap2" | "later2" | "nomigrate" => (2, vec![1, 2]),
        "schema9" => (9, vec![9]),
        _ => (1, vec![1]),
    }
}

impl Guest for Chameleon {
    fn describe() -> Description {
        let (writes_schema, reads_schemas) = schemas();
        Description {
            name: "chameleon".into(),
            version: setting("version"),
            writes_schema,
            reads_schemas,
            extra: Vec::new(),
        }
    }

    fn handle(
        state: Option<Vec<u8>>,
        input: Input,
        context: Context,
    ) -> Result<Transition, WorkflowError> {
        let text = String::from_utf8(state.unwrap_or_default()).unwrap_or_default();
        let is_marked = schemas().0 > 1;
        let count = if is_marked { text.strip_prefix('#') } else { Some(text.as_str()) };
        let count = count.and_then(|text| text.split(' ').next());
        let count = count.filter(|count| !count.is_empty()).unwrap_or("0").parse::<u64>();
        let Ok(count) = count else {
            return Err(WorkflowError::BadState(format!("`{text}` is not my state")));
        };
        let count = count + 1;
        let mode = setting("mode");
        let is_probe = context.session_name == "probe";
        match mode.as_str() {
            "trap" | "trap2" if !is_probe => panic!("on purpose"),
            "trapprobe" if is_probe => panic!("on purpose"),
            "trap7" | "otherbut7" if context.session_name == "session-7" => panic!("on purpose"),
            "half" if !is_probe && context.seed % 2 == 1 => panic!("on purpose"),
            "hungry" if !is_probe => {
                let work = (0..200_000_u64).fold(count, |sum, n| core::hint::black_box(sum ^ n));
                core::hint::black_box(work);
            }
            "later" | "later2" if context.now > LATER => panic!("on purpose"),
            "loop" if !is_probe => loop {
                core::hint::black_box(count);
            },
            _ => {}
        }
        let mut effects = Vec::new();
        if let Input::Command(command) = input {
            if mode.starts_with("other") && !is_probe {
                effects.push(Effect::RefreshQr);
            }
            if mode != "mute" || is_probe {
                let said = format!("counts {count}");
                effects.push(Effect::Reply(Reply { id: command.id, outcome: Outcome::Done(said) }));
            }
            if let Command::Delete(_) = command.command {
                effects.push(Effect::DeleteSession);
            }
        }
        let mark = if is_marked { "#" } else { "" };
        Ok(Transition {
            state: format!("{mark}{count} {}", setting("version")).into_bytes(),
            view: View {
                status: Status::Disconnected,
                reason: None,
                detail: None,
                account: None,
                linked: false,
                expected_phone_number: None,
                shown: None,
            },
            events: Vec::new(),
            effects,
            wake_up_at: None,
        })
    }

    fn migrate(state: VersionedState) -> Result<Vec<u8>, WorkflowError> {
        if setting("mode") == "nomigrate" {
            return Err(WorkflowError::BadState("this state is older than I care for".into()));
        }
        Ok([b"#", &state.bytes[..]].concat())
    }
}
