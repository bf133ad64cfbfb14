//! Between the host's words and those of `wit/`. Both mean the same; only the
//! ways they are written differ.

mod events;
mod outcome;
mod report;
mod transition;
mod words;
mod workflow_input;

use std::time::Duration;

pub(crate) use transition::transition;
pub(crate) use workflow_input::{context, input};

/// From one enumeration to another that has the same cases.
macro_rules! same_cases {
    ($from:ty => $to:ty: $($case:ident)+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                type From = $from;
                match value { $(From::$case => Self::$case,)+ }
            }
        }
    };
}
use same_cases;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
