//! One file a command.

mod admin;
mod doctor;
mod migrate;
mod plugin;
mod remote;
mod serve;
mod session;
mod token;

use crate::{
    cli::{Cli, Command},
    config::Settings,
};

/// Carries out the command.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let file = cli.settings_file();
    let settings = || Settings::read(&file);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => wait_for(serve::run(settings()?)),
        Command::Migrate => wait_for(migrate::run(settings()?)),
        Command::Admin(command) => wait_for(admin::run(settings()?, command)),
        Command::Token(args) => token::run(&settings()?, &args),
        Command::Session(command) => wait_for(session::run(command)),
        Command::Plugin(command) => wait_for(plugin::run(command)),
        Command::Doctor => wait_for(doctor::run(&file)),
        Command::OpenApi => {
            print!("{}", pairing_api::openapi_json());
            Ok(())
        }
    }
}

fn wait_for(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
