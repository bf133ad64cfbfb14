//! FinBot's front end in a real browser: a page of another origin that loads the
//! unmodified socket.io-client, and calls the API as pages do.

use std::{os::unix::process::CommandExt, path::Path, process::Stdio};

use pairing_tests::{DEADLINE, TestApi, browsers_on, kill};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

/// Reports each thing that happens to the page's own server.
const SCRIPT: &str = r#"
const { api, token } = JSON.parse(document.getElementById("given").textContent);
const seen = (what) => fetch("/seen", { method: "POST", body: JSON.stringify(what) });
for (const transports of [["polling", "websocket"], ["websocket"]]) {
  const by = transports.join(",");
  const socket = io(api, { transports, auth: { token }, reconnection: false });
  socket.on("connect", () => seen({ by, connected: true }));
  socket.on("connect_error", () => seen({ by, refused: true }));
  for (const event of ["status-update", "qr-code", "session-connected", "session-disconnected"])
    socket.on(event, (payload) => seen({ by, event, payload }));
}
fetch(`${api}/whatsapp/status/page`, { headers: { authorization: `Bearer ${token}` } })
  .then((answer) => answer.json())
  .then((body) => seen({ by: "fetch", status: body.status }), () => seen({ by: "fetch", refused: true }));
"#;

/// The page's server, and what the page has told it.
struct Page {
    listener: TcpListener,
    seen: Vec<Value>,
}

impl Page {
    async fn serve() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener, seen: Vec::new() }, origin)
    }

    /// Answers requests until the page has told `what`.
    async fn until(&mut self, host: &TestApi, what: impl Fn(&Value) -> bool) -> Value {
        let told = async {
            loop {
                if let Some(found) = self.seen.iter().position(&what) {
                    return self.seen.remove(found);
                }
                let (stream, _) = self.listener.accept().await.unwrap();
                self.seen.extend(answer(host, stream).await);
            }
        };
        tokio::time::timeout(DEADLINE, told).await.expect("the page goes on")
    }
}

/// One request, one connection.
async fn answer(host: &TestApi, mut stream: TcpStream) -> Option<Value> {
    let mut request = Vec::new();
    let mut length = None;
    while length.is_none_or(|length| request.len() < length) {
        // A browser opens connections that it may not use.
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&request).to_lowercase();
        length = text.split_once("\r\n\r\n").map(|(head, _)| {
            let body = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            head.len() + 4 + body.map_or(0, |length| length.trim().parse().unwrap())
        });
    }
    let request = String::from_utf8(request).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (kind, content) = match head.split(' ').nth(1).unwrap() {
        "/" => ("text/html", html(host)),
        "/socket.io.js" => ("text/javascript", library()),
        "/page.js" => ("text/javascript", SCRIPT.to_owned()),
        _ => ("text/plain", String::new()),
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
        content.len()
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    head.starts_with("POST /seen").then(|| serde_json::from_str(body).unwrap())
}

fn html(host: &TestApi) -> String {
    let given = json!({ "api": host.url(), "token": host.token(json!({})) });
    format!(
        r#"<!doctype html><script id=given type="application/json">{given}</script><script src=/socket.io.js></script><script src=/page.js></script>"#
    )
}

fn library() -> String {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/socketio-client/node_modules/socket.io-client");
    std::fs::read_to_string(Path::new(folder).join("dist/socket.io.min.js"))
        .expect("socket.io-client is installed by `make setup`")
}

/// A browser with this page. All of it ends with this.
struct Browser {
    process: Child,
    profile: tempfile::TempDir,
}

impl Browser {
    fn open(url: &str) -> Self {
        let profile = tempfile::Builder::new().prefix("pairing-page-").tempdir().unwrap();
        let mut command = std::process::Command::new("/usr/bin/chromium");
        command
            .args(["--headless=new", "--disable-gpu", "--no-first-run", url])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            // With its sandbox, which root can't have.
            let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
            nix::unistd::chown(profile.path(), Some(nobody.uid), Some(nobody.gid)).unwrap();
            command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        }
        let process = Command::from(command).kill_on_drop(true).spawn().expect("Chromium is there");
        Self { process, profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers end with it, and are not waited for.
        let _ = self.process.start_kill();
        for pid in browsers_on(self.profile.path()) {
            kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[tokio::test]
async fn chromium_page_of_an_allowed_origin_hears_all_events_and_reads_answers() {
    let (mut page, origin) = Page::serve().await;
    let host = TestApi::with(|config| config.allowed_origins = vec![origin.parse().unwrap()]).await;
    let _browser = Browser::open(&origin);
    let told = page.until(&host, |told| told["by"] == "fetch").await;
    assert_eq!(told["status"], "DISCONNECTED", "{told}");
    let ways = ["polling,websocket", "websocket"];
    for by in ways {
        let told = page.until(&host, |told| told["by"] == by).await;
        assert_eq!(told["connected"], true, "{told}");
    }
    host.linked("page", "5511999990001").await;
    let name = "page".parse().unwrap();
    let gone = pairing_core::workflow::EngineReport::LoggedOut { by_us: false };
    host.engine.report(&name, gone).await;
    for by in ways {
        for event in ["status-update", "qr-code", "session-connected", "session-disconnected"] {
            let told = page.until(&host, |told| told["by"] == by && told["event"] == event).await;
            assert_eq!(told["payload"]["sessionName"], "page", "{told}");
        }
    }
}

#[tokio::test]
async fn chromium_page_of_another_origin_gets_nothing() {
    let (mut page, origin) = Page::serve().await;
    let host = TestApi::start().await;
    let _browser = Browser::open(&origin);
    for by in ["fetch", "polling,websocket", "websocket"] {
        let told = page.until(&host, |told| told["by"] == by).await;
        assert_eq!(told["refused"], true, "{told}");
    }
}
