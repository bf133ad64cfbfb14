//! One file a command.

mod admin;
mod doctor;
mod hooks;
mod migrate;
mod plugin;
mod remote;
mod serve;
mod session;
mod token;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command},
    config::Settings,
};

/// Carries out the command. Its exit code says how that ended, if there is more
/// to say than that it was done.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.settings_file();
    let settings = || Settings::read(&file);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => wait_for(serve::run(settings()?)),
        Command::Migrate => wait_for(migrate::run(settings()?)),
        Command::Admin(command) => wait_for(admin::run(settings()?, command)),
        Command::Token(args) => token::run(&settings()?, &args),
        Command::Session(command) => wait_for(session::run(command)),
        Command::Plugin(command) => return wait_for(plugin::run(command)),
        Command::Hooks(command) => return wait_for(hooks::run(command)),
        Command::Doctor => wait_for(doctor::run(&file)),
        Command::Sentinel => return Ok(pairing_sentinel::run()),
        Command::CompilePlugin => return Ok(pairing_plugin_runtime::compile_stdin()),
        Command::OpenApi => {
            print!("{}", pairing_api::openapi_json());
            Ok(())
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
