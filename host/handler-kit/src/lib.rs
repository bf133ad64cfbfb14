//! For those who write handlers: makes a project, builds it, and looks after its
//! tools. Which hosts a handler meets is no business of this crate.

mod build;
mod contract;
mod doctor;
mod inspect;
mod project;
mod template;

pub use build::build;
pub use doctor::{Finding, doctor};
pub use inspect::{Built, inspect};
pub use project::{Language, Project};
pub use template::create;
