//! The ten minutes of `plugins/README.md`, word by word: its blocks are run in one
//! shell, and the phone does what it says in between.

use std::process::Stdio;

use pairing_tests::{TestHost, host_binary, until};
use standin::Standin;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::author::workspace;

const PHONE: &str = "5511999990001";
/// Printed at the end of each block.
const END: &str = "-- end of block --";

enum Part {
    Block(String),
    /// What stands in a comment.
    Meanwhile(String),
}

fn parts(readme: &str) -> Vec<Part> {
    let section = readme.split("## Ten minutes").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (mut parts, mut block) = (Vec::new(), None::<String>);
    for line in section.lines() {
        match &mut block {
            Some(text) if line == "```" => parts.push(Part::Block(std::mem::take(text))),
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
        match line {
            "```sh" => block = Some(String::new()),
            "```" => block = None,
            _ => {}
        }
        if let Some(what) = line.strip_prefix("<!-- ") {
            parts.push(Part::Meanwhile(what.trim_end_matches(" -->").to_owned()));
        }
    }
    parts
}

/// A shell that stays, as a terminal does.
struct Shell {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    fn open(host: &TestHost) -> Self {
        let mut process = Command::new("bash")
            .args(["--norc", "-s"])
            .current_dir(workspace())
            .env("PAIRING_URL", host.url())
            .env("PAIRING_TOKEN", host.token())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, input, output }
    }

    /// Runs a block, all of which must succeed; gives what it printed.
    async fn run(&mut self, block: &str) -> String {
        let block = format!("set -e\n{block}\necho '{END}'\n");
        self.input.write_all(block.as_bytes()).await.unwrap();
        let mut printed = String::new();
        while let Some(line) = self.output.next_line().await.unwrap() {
            if line == END {
                return printed;
            }
            printed.push_str(&line);
            printed.push('\n');
        }
        let status = self.process.wait().await.unwrap();
        panic!("the shell ended with {status} in this block:\n{block}\nand printed:\n{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_minutes_of_the_readme_are_true() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let host = TestHost::on(standin.base_url()).set("PAIRING_MODE", "development").start().await;
    let readme = std::fs::read_to_string(workspace().join("plugins/README.md")).unwrap();
    // Another chat may be there already, and set-up has installed the tools.
    let chat_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port().to_string()
    };
    let bin = host_binary().parent().unwrap().display().to_string();
    let modules = workspace().join("tests/handlers/node_modules");
    let install = format!("ln -s {} node_modules", modules.display());
    let here = |block: &str| {
        block
            .replace("9000", &chat_port)
            .replace("npm install", &install)
            .replace("$PWD/target/debug", &bin)
    };
    let mut shell = Shell::open(&host);
    let (mut blocks, mut printed) = (0, Vec::new());
    for part in parts(&readme) {
        match part {
            Part::Block(block) => {
                blocks += 1;
                printed.push(shell.run(&here(&block)).await);
            }
            Part::Meanwhile(what) if what == "the phone scans" => {
                let (code, _) = host.until_qr("sales", 0).await;
                standin.scan_data_url_as(&code, PHONE, "Ana").await.unwrap();
                host.until_status("sales", "CONNECTED").await;
            }
            Part::Meanwhile(what) => {
                let count =
                    what.strip_prefix("the chat has ").and_then(|what| what.split(' ').next());
                let count: usize = count.and_then(|count| count.parse().ok()).expect(&what);
                let told =
                    r#"{"text":"sales is disconnected: logged-out"} (Bearer secret-of-the-chat)"#;
                until(&what, async || {
                    let log = host_log(&mut shell).await;
                    (log.lines().filter(|line| *line == told).count() == count).then_some(())
                })
                .await;
            }
        }
    }
    assert_eq!(blocks, 9, "the section's blocks are found");
    let all = printed.join("\n");
    assert!(all.contains("3 vectors, 0 failed"), "{all}");
    assert!(printed[blocks - 2].contains("sales"), "sessions are listed: {all}");
    // It tells of the break a moment after the command that led to it.
    until("the log tells where the handler broke", async || {
        let log = shell.run("pairing-host plugin logs chat-alert").await;
        (log.contains("handle@handler.js:") && log.contains("trapped")).then_some(())
    })
    .await;
}

async fn host_log(shell: &mut Shell) -> String {
    shell.run("cat ../chat.log").await
}
