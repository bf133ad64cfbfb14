//! What the tests share.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Lines},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use pairing_sentinel::{Browser, SentinelProgram};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Guards against hanging; nothing is measured by it.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

const NOBODY: u32 = 65534;

/// An example of this crate, which is built with its tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join(name)
}

pub(crate) fn program() -> SentinelProgram {
    SentinelProgram { program: example("sentinel"), arguments: Vec::new() }
}

pub(crate) fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// A folder for a browser's profile and temporary files, its user's own.
pub(crate) struct Home {
    folder: TempDir,
    /// The fake browser, where the browser's user can read it.
    fake: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("sentinel-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["profile", "tmp"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            if Uid::effective().is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let fake = folder.path().join("fake-browser");
        fs::copy(example("fake_browser"), &fake).unwrap();
        Self { folder, fake }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn fake(&self, arguments: &[&str]) -> Browser {
        self.browser(&self.fake, arguments.iter().map(|text| (*text).to_owned()).collect())
    }

    pub(crate) fn chromium(&self) -> Browser {
        let arguments = [
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--no-startup-window",
            "--password-store=basic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-breakpad",
            "--disable-extensions",
        ];
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", self.path("profile").display()));
        self.browser(Path::new("/usr/bin/chromium"), arguments)
    }

    fn browser(&self, program: &Path, arguments: Vec<String>) -> Browser {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Browser {
            program: program.to_owned(),
            arguments,
            environment: vec![
                variable("PATH", "/usr/bin:/bin"),
                variable("HOME", self.path("profile").to_str().unwrap()),
                variable("TMPDIR", self.path("tmp").to_str().unwrap()),
            ],
            folder: self.path("profile"),
            user: Uid::effective().is_root().then_some((NOBODY, NOBODY)),
        }
    }

    /// Whether the profile's lock is free.
    pub(crate) fn is_unlocked(&self) -> bool {
        fs::File::create(self.path("lock")).unwrap().try_lock().is_ok()
    }
}

/// A host in a process of its own.
pub(crate) struct Keeper {
    child: Child,
    pub(crate) sentinel: Pid,
    pub(crate) address: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Keeper {
    pub(crate) fn start(home: &Home, browser: &Browser, deadline: Duration) -> Self {
        Self::start_in(home, browser, deadline, true)
    }

    pub(crate) fn start_in(
        home: &Home,
        browser: &Browser,
        deadline: Duration,
        with_namespaces: bool,
    ) -> Self {
        let keeper = Command::new(example("keeper"));
        Self::start_as(keeper, &example("sentinel"), home, browser, deadline, with_namespaces)
    }

    /// As an ordinary user, who is the browser's, too, whoever runs the tests.
    pub(crate) fn start_as_ordinary_user(home: &Home, browser: &Browser) -> Self {
        // Where that user can read them.
        let [keeper, sentinel] = ["keeper", "sentinel"].map(|name| {
            let copy = home.path(name);
            fs::copy(example(name), &copy).unwrap();
            copy
        });
        let mut keeper = Command::new(keeper);
        if let Some((uid, gid)) = browser.user {
            keeper.uid(uid).gid(gid);
            let lock = home.path("lock");
            fs::File::create(&lock).unwrap();
            chown(&lock, Some(uid), Some(gid)).unwrap();
        }
        let browser = Browser { user: None, ..browser.clone() };
        Self::start_as(keeper, &sentinel, home, &browser, Duration::from_secs(45), true)
    }

    fn start_as(
        mut keeper: Command,
        sentinel: &Path,
        home: &Home,
        browser: &Browser,
        deadline: Duration,
        with_namespaces: bool,
    ) -> Self {
        let wish = json!({
            "sentinel": sentinel,
            "browser": browser,
            "with_namespaces": with_namespaces,
            "deadline_ms": u64::try_from(deadline.as_millis()).unwrap(),
            "lock": home.path("lock"),
        });
        let mut child = keeper.arg(wish.to_string()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the browser starts").unwrap();
        let (sentinel, address) = line.split_once(' ').unwrap();
        let sentinel = Pid::from_raw(sentinel.parse().unwrap());
        Self { child, sentinel, address: address.to_owned(), lines }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }

    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// What it says of the browser's end, and its own.
    pub(crate) fn end(mut self) -> String {
        let line = self.lines.next().unwrap().unwrap();
        self.child.wait().unwrap();
        line
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // After a failed test it may still run; the sentinel follows it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All processes below one, and the PID namespaces that they are in.
#[derive(Debug)]
pub(crate) struct Family {
    members: HashSet<(i32, String)>,
    spaces: HashSet<u64>,
}

impl Family {
    pub(crate) fn of(ancestor: Pid) -> Self {
        let mut ids = HashSet::from([ancestor.as_raw()]);
        // Whatever was started meanwhile is found by its namespace.
        loop {
            let more: Vec<_> = processes()
                .filter(|id| !ids.contains(id) && parent(*id).is_some_and(|id| ids.contains(&id)))
                .collect();
            if more.is_empty() {
                break;
            }
            ids.extend(more);
        }
        let own = space(std::process::id().cast_signed());
        let mut spaces: HashSet<_> = ids.iter().filter_map(|id| space(*id)).collect();
        spaces.retain(|space| Some(*space) != own);
        let members = ids.iter().filter_map(|id| Some((*id, began(*id)?))).collect();
        Self { members, spaces }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = i32> {
        self.members.iter().map(|(id, _)| *id)
    }

    pub(crate) fn has_namespace(&self) -> bool {
        !self.spaces.is_empty()
    }

    /// Those that still live, and others in their namespaces.
    pub(crate) fn left(&self) -> Vec<String> {
        let is_left = |id: &i32| {
            // What is dead, and only waits for its parent to ask, is gone.
            began(*id).is_some_and(|began| {
                self.members.contains(&(*id, began))
                    || space(*id).is_some_and(|space| self.spaces.contains(&space))
            })
        };
        let tell = |id| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            format!("{id}: {}", String::from_utf8_lossy(&line).replace('\0', " "))
        };
        processes().filter(is_left).map(tell).collect()
    }

    /// Waits until none is left.
    pub(crate) fn gone_after(&self, since: Instant) -> Duration {
        loop {
            let left = self.left();
            if left.is_empty() {
                return since.elapsed();
            }
            assert!(since.elapsed() < GUARD, "still there: {left:#?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How many of its sockets listen for TCP, for each process that has any.
    pub(crate) fn listeners(&self) -> Vec<(i32, usize)> {
        let mut listening = HashSet::new();
        for table in ["tcp", "tcp6"] {
            let table = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
            for line in table.lines() {
                let fields: Vec<_> = line.split_whitespace().collect();
                if fields.get(3) == Some(&"0A") {
                    listening.insert(format!("socket:[{}]", fields[9]));
                }
            }
        }
        let of = |id: i32| {
            let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
            let files = files.filter_map(|file| fs::read_link(file.path()).ok());
            files.filter(|file| listening.contains(&*file.to_string_lossy())).count()
        };
        self.ids().map(|id| (id, of(id))).filter(|(_, count)| *count > 0).collect()
    }
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Its state, its parent, and when it began, which tells it from a later one of
/// the same number. None for those that are dead but not waited for.
fn stat(id: i32) -> Option<(String, i32, String)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields[0].to_owned(), fields[1].parse().ok()?, fields[19].to_owned()))
}

pub(crate) fn parent(id: i32) -> Option<i32> {
    Some(stat(id)?.1)
}

fn began(id: i32) -> Option<String> {
    stat(id).filter(|stat| stat.0 != "Z").map(|stat| stat.2)
}

/// Children of this process that nobody has waited for.
pub(crate) fn zombies() -> Vec<i32> {
    let own = std::process::id().cast_signed();
    let is_ours =
        |id: &i32| stat(*id).is_some_and(|(state, parent, _)| state == "Z" && parent == own);
    processes().filter(is_ours).collect()
}

/// The PID namespace that it is in.
pub(crate) fn space(id: i32) -> Option<u64> {
    Some(fs::metadata(format!("/proc/{id}/ns/pid")).ok()?.ino())
}

/// Inner, which is outer's only child.
pub(crate) fn inner_of(outer: Pid) -> Pid {
    let inner = processes().find(|id| parent(*id) == Some(outer.as_raw()));
    Pid::from_raw(inner.expect("outer has a child"))
}

/// A debugger.
pub(crate) struct Debugger {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    number: u64,
}

impl Debugger {
    pub(crate) async fn attach(address: &str) -> Self {
        // As large as the host's library takes them.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = connect_async_with_config(address, Some(config), true).await.unwrap();
        Self { socket, number: 0 }
    }

    /// Without waiting for an answer.
    pub(crate) async fn tell(&mut self, method: &str, params: Value) {
        let message = json!({"id": 0, "method": method, "params": params});
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, session: &str, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut question = json!({"id": self.number, "method": method, "params": params});
        if !session.is_empty() {
            question["sessionId"] = session.into();
        }
        self.socket.send(Message::text(question.to_string())).await.unwrap();
        loop {
            let message = self.socket.next().await.expect("an answer").unwrap();
            let Message::Text(text) = message else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page, and gives its session.
    pub(crate) async fn open(&mut self, url: &str) -> String {
        let target = self.ask("", "Target.createTarget", json!({"url": url})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.ask("", "Target.attachToTarget", attach).await;
        session["sessionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn evaluate(&mut self, session: &str, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask(session, "Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }
}

/// In milliseconds, for a report.
pub(crate) fn figures(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: f64| {
        let place = ((times.len() - 1) as f64 * part).round() as usize;
        times[place].as_secs_f64() * 1000.0
    };
    println!(
        "{name}: {} times, p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms",
        times.len(),
        at(0.5),
        at(0.95),
        at(1.0)
    );
}
