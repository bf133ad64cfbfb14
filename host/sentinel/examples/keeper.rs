//! A host that has one browser and nothing else, so that tests can freeze and kill it.
//!
//! Its one argument is JSON, see [`Wish`]. It prints the sentinel's number and the
//! WebSocket's address, and lives until it is ended.

use std::{fs::File, os::fd::AsFd, path::PathBuf, time::Duration};

use pairing_sentinel::{Browser, Isolation, Launch, Sentinel, SentinelProgram};
use serde::Deserialize;

#[derive(Deserialize)]
struct Wish {
    sentinel: PathBuf,
    browser: Browser,
    /// None: not in namespaces.
    with_namespaces: bool,
    deadline_ms: u64,
    lock: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wish = std::env::args().nth(1).ok_or("the wish is missing")?;
    let wish: Wish = serde_json::from_str(&wish)?;
    let lock = File::create(wish.lock)?;
    lock.lock()?;
    let program = SentinelProgram { program: wish.sentinel, arguments: Vec::new() };
    let isolation = if wish.with_namespaces {
        Isolation::Namespaces
    } else {
        Isolation::ProcessGroup { because: "the test wants it so".into() }
    };
    let mut sentinel = Sentinel::start(Launch {
        program: &program,
        browser: wish.browser,
        isolation: &isolation,
        lock: Some(lock.as_fd()),
        deadline: Duration::from_millis(wish.deadline_ms),
        memory: None,
    })?;
    let mut stderr = sentinel.take_stderr().ok_or("no standard error")?;
    tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
    tokio::select! {
        address = sentinel.ready() => println!("{} {}", sentinel.id(), address?),
        status = sentinel.ended() => return Err(status.to_string().into()),
    }
    println!("{}", sentinel.ended().await);
    Ok(())
}
