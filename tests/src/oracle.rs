//! The oracle as a process beside the host: see `tests/oracle`.

use std::{path::PathBuf, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{TestHost, test_host::binary, token_with};

/// What is asked of an oracle.
#[derive(Debug, Clone)]
pub struct OracleOptions {
    /// Sessions that must be there and connected at the end.
    pub sessions: Vec<String>,
    /// Sessions that it stops and starts.
    pub commanded: Vec<String>,
    /// Milliseconds from one command to the next.
    pub commands_every: u64,
    /// For the choice of commands.
    pub seed: u64,
}

/// An oracle that watches a host. Dropping it ends it.
pub struct Oracle {
    child: Child,
    inlet: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
    book: PathBuf,
}

impl Oracle {
    /// Begins to watch; returns once it listens.
    pub async fn watch(host: &TestHost, options: &OracleOptions) -> Self {
        let book = host.folder().join("oracle.log");
        // A soak takes longer than other tokens live.
        let now = jsonwebtoken::get_current_timestamp();
        let token = token_with(serde_json::json!({ "exp": now + 48 * 3600 }));
        let mut command = Command::new(binary("oracle"));
        command
            .args(["--host", &host.url(), "--token", &token])
            .arg("--book")
            .arg(&book)
            .arg("--profiles")
            .arg(host.data_dir().join("profiles"))
            .args(["--sessions", &options.sessions.join(",")])
            .args(["--commanded", &options.commanded.join(",")])
            .args(["--commands-every", &options.commands_every.to_string()])
            .args(["--seed", &options.seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("it is built: run `make build`");
        let said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut oracle = Self { inlet: child.stdin.take(), child, said, book };
        let first = oracle.line().await;
        assert_eq!(first, "ready", "the oracle can't watch");
        oracle
    }

    /// Lets it come to an end, and gives what it says: see the oracle's `verdict.rs`.
    pub async fn verdict(mut self) -> Value {
        drop(self.inlet.take());
        let line = self.line().await;
        // It ends by itself after its last word.
        let _ = self.child.wait().await;
        let verdict: Value = serde_json::from_str(&line).unwrap_or_default();
        println!("oracle: {verdict}");
        if verdict["good"] != true {
            let kept = std::env::temp_dir().join(format!("oracle-{}.log", std::process::id()));
            let _ = std::fs::copy(&self.book, &kept);
            println!("what the oracle saw: {}", kept.display());
        }
        verdict
    }

    async fn line(&mut self) -> String {
        self.said.next_line().await.ok().flatten().unwrap_or_default()
    }
}

/// Panics unless the oracle found nothing wrong.
pub fn assert_good(verdict: &Value) {
    assert_eq!(verdict["good"], true, "the oracle's verdict: {verdict}");
}
