//! How large something is, and whether that is too large.

use std::io;

use pairing_core::{
    phone::masked,
    plugin::{PluginError, Slot},
};
use serde::Serialize;

/// Fails if there is more than allowed.
pub(crate) fn at_most(
    slot: Slot,
    what: &'static str,
    size: usize,
    limit: usize,
) -> Result<(), PluginError> {
    if size > limit { Err(PluginError::TooLarge { slot, what, size, limit }) } else { Ok(()) }
}

/// How many bytes it would have as JSON: a measure for what consists of many
/// small parts.
pub(crate) fn size(value: &impl Serialize) -> usize {
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

/// What a guest says, fit for an error's message: short, and without the phone
/// numbers that it was told.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", masked(&text[..end])),
        None => masked(text),
    }
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
