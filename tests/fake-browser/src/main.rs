//! What the host takes for Chromium with WhatsApp Web in it: speaks enough of the
//! debugging protocol, plays a page that links itself and then loses and finds its
//! connection, and counts what it said in a book of its own. It shares no code with
//! the host, so that its book can be held against the host's journal.

mod arguments;
mod book;
mod browser;
mod connection;
mod page;
mod renderer;

use std::process::ExitCode;

use arguments::{Arguments, Role};

fn main() -> ExitCode {
    let arguments = Arguments::read(std::env::args().skip(1));
    match arguments.role {
        Role::Version => {
            println!("156.0.8078.79");
            ExitCode::SUCCESS
        }
        Role::Renderer => renderer::live(),
        Role::Browser => match browser::live(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(end) => {
                eprintln!("{end}");
                ExitCode::from(end.code())
            }
        },
    }
}
