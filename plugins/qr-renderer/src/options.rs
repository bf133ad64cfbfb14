//! The ranges of the options, as `wit/qr` states them.

use crate::bindings::exports::pairing_console::qr::renderer::{Options, RenderError};

pub(crate) fn check(options: &Options) -> Result<(), RenderError> {
    let wrong = |text: &str| Err(RenderError::BadOption(text.into()));
    if !(64..=4096).contains(&options.size) {
        return wrong("size is in pixels, from 64 to 4096");
    }
    if options.quiet_zone > 16 {
        return wrong("quiet-zone is in modules, from 0 to 16");
    }
    Ok(())
}
