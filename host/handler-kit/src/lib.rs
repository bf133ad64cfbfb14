//! For those who write handlers: makes a project, builds it, tries it under the
//! host's own limits, and looks after its tools.

mod build;
mod contract;
mod doctor;
mod inspect;
mod native_code;
mod pretended_engine;
mod project;
mod running;
mod template;
mod trial;

pub use build::build;
pub use doctor::{Finding, doctor};
pub use inspect::{Built, inspect};
pub use pretended_engine::PretendedEngine;
pub use project::{Language, Project};
pub use running::{Host, keep_a_session, run};
pub use template::create;
pub use trial::{Histories, Report, test};
