//! The registry of plugins: components, slots and their history.

mod bound_to_sessions;
mod slots;
mod upgrade;
mod versions;

use std::sync::Arc;

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{Activation, PluginAction, PluginChange, PluginFacts, PluginVersion},
    store::Store,
};

pub use self::{bound_to_sessions::*, slots::*, upgrade::*, versions::*};
use super::at;

/// The largest component that is taken.
pub const LARGEST: usize = 32 << 20;

/// Bytes without a pattern that could be compressed away (xorshift).
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(&mut next).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

fn digest(letter: char) -> PluginDigest {
    PluginDigest(letter.to_string().repeat(64).into())
}

pub fn version(slot: Slot, letter: char, component: &[u8]) -> PluginVersion {
    PluginVersion {
        slot,
        digest: digest(letter),
        name: "plugin".to_owned(),
        version: "1.2.3".to_owned(),
        size: component.len() as u64,
        source: "upload".to_owned(),
        signed_by: Some("release".to_owned()),
        accepted_by: None,
        facts: PluginFacts {
            interface: "pairing:plugins/workflow@1.0.0".to_owned(),
            imports: vec!["wasi:cli/environment".to_owned()],
            initial_memory: 1 << 20,
            writes_schema: Some(2),
            reads_schemas: [1, 2].into(),
            fuel: vec![("init".to_owned(), 12_345)],
        },
        created_at: at(1),
        created_by: "ana".to_owned(),
    }
}

pub fn change(slot: Slot, letter: char) -> PluginChange {
    PluginChange {
        slot,
        at: at(7),
        who: "ana".to_owned(),
        action: PluginAction::Activate,
        from: None,
        to: Some(digest(letter)),
        share: None,
        why: "a better one".to_owned(),
        refusal: None,
        detail: String::new(),
    }
}

fn activation(slot: Slot, letter: char, expected: Option<u64>) -> Activation {
    Activation {
        change: change(slot, letter),
        expected,
        active: digest(letter),
        canary: None,
        pins: Vec::new(),
    }
}

/// Lets small components `a`, `b` and `c` in, for every slot.
async fn let_in(store: &Arc<dyn Store>) {
    for slot in Slot::OWN {
        for letter in ['a', 'b', 'c'] {
            let component = letter.to_string().into_bytes();
            store.add_version(&version(slot, letter, &component), &component).await.unwrap();
        }
    }
}
