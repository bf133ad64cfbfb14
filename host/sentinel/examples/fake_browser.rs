//! A browser that can only be closed: as quick to start as a shell, so that tests
//! can do it hundreds of times. Its arguments:
//!
//! - `--children=N`: so many processes of its own, one of them gone from its group
//! - `--stubborn`: does not close when asked to
//!
//! Asked to crash, it ends with code 7; asked to hog, it takes 200 MiB.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::fd::FromRawFd,
    process::{Command, ExitCode},
};

use serde_json::{Value, json};

fn main() -> io::Result<ExitCode> {
    let value = |name: &str| {
        std::env::args().find_map(|argument| argument.strip_prefix(name)?.parse::<u8>().ok())
    };
    let is_stubborn = std::env::args().any(|argument| argument == "--stubborn");
    for number in 0..value("--children=").unwrap_or_default() {
        let mut child = Command::new(if number == 0 { "setsid" } else { "sleep" });
        child.args(if number == 0 { &["sleep", "600"][..] } else { &["600"] }).spawn()?;
    }
    #[expect(unsafe_code, reason = "a browser's debugging pipe has these numbers")]
    // SAFETY: nobody else owns them.
    let (reads, mut writes) = unsafe { (File::from_raw_fd(3), File::from_raw_fd(4)) };
    let mut hogged: Vec<u8> = Vec::new();
    for message in BufReader::new(reads).split(0) {
        let message: Value = serde_json::from_slice(&message?)?;
        let answer = json!({"id": message["id"], "result": {"asked": message["method"]}});
        writes.write_all(format!("{answer}\0").as_bytes())?;
        if message["method"] == "Browser.hog" {
            hogged.resize(200 << 20, 1);
        }
        if message["method"] == "Browser.crash" {
            return Ok(ExitCode::from(7));
        }
        if message["method"] == "Browser.close" && !is_stubborn {
            return Ok(ExitCode::SUCCESS);
        }
    }
    // Its memory is to stay.
    std::hint::black_box(&hogged);
    if is_stubborn {
        std::thread::park();
    }
    Ok(ExitCode::SUCCESS)
}
