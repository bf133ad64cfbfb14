//! What the host answers about plugins, as people read it. Nothing is asked or
//! printed here.

mod changes;
mod dead_letters;
mod line;
mod parked;
mod replay;
mod slots;
mod subscriptions;
mod versions;

#[cfg(test)]
mod tests;

pub use changes::{activated, history};
pub use dead_letters::{dead_letter, dead_letters};
pub use line::line;
pub use parked::parked;
pub use replay::{is_identical, replay};
pub use slots::slots;
pub use subscriptions::{subscription, subscriptions};
pub use versions::{version, versions};

/// A text whose further lines stand below the end of `margin`.
fn hanging(margin: &str, text: &str) -> String {
    let under = format!("\n{}", " ".repeat(margin.chars().count()));
    format!("{margin}{}", text.trim_end().replace('\n', &under))
}

/// A text of several lines under something else.
fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    text.lines().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n")
}
