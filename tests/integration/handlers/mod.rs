//! Handlers as integrators write them: projects in each language, made, built and
//! tried by the command line, and on a host that runs.

mod author;
mod chat;
mod chromium_readme;
mod running;
mod templates;
