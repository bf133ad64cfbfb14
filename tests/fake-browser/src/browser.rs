//! The browser around the page: the profile's mark, the start's cost, and the
//! debugging protocol as far as the host speaks it. What it does not know it
//! answers with nothing, as if it were done.

use std::{
    fmt, fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    book::Book,
    connection::{Closed, Connection},
    page::Page,
    renderer,
};

const TARGET: &str = "F1F1F1F1F1F1F1F1F1F1F1F1F1F1F1F1";
const SESSION: &str = "5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E";
/// One transparent point, as PNG.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// Why it ends other than as asked.
#[derive(Debug)]
pub(crate) enum End {
    /// As Chromium does, with its exit code.
    ProfileInUse,
    Failed(io::Error),
}

impl End {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::ProfileInUse => 21,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProfileInUse => f.write_str("the profile appears to be in use"),
            Self::Failed(error) => write!(f, "the fake browser failed: {error}"),
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The mark by which a browser tells others that it uses the profile; it stays
/// when the browser is killed.
struct Mark(PathBuf);

impl Mark {
    fn put(profile: &Path) -> Result<Self, End> {
        let path = profile.join("SingletonLock");
        match symlink(format!("fake-{}", std::process::id()), &path) {
            Ok(()) => Ok(Self(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(End::ProfileInUse),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // A profile that is gone has no mark either.
        let _ = fs::remove_file(&self.0);
    }
}

/// From the start to the end that the debugger asks for, or that its going means.
pub(crate) fn live(arguments: &Arguments) -> Result<(), End> {
    if !arguments.by_pipe {
        return Err(io::Error::other("it is started with --remote-debugging-pipe alone").into());
    }
    let _mark = Mark::put(&arguments.profile)?;
    let book = Book::open(&arguments.profile)?;
    let held = vec![1_u8; arguments.fake.hold << 20];
    burn(arguments.fake.burn)?;
    let mut renderer = renderer::start(&arguments.profile)?;
    let page = Page::new(arguments, book);
    let mut browser = Browser {
        connection: Connection::inherited(),
        page,
        binding: String::new(),
        url: "about:blank".into(),
        loader: 1,
    };
    let end = browser.listen();
    drop(renderer.stdin.take());
    renderer.wait()?;
    drop(held);
    match end {
        Ok(()) | Err(Trouble::Closed) => Ok(()),
        Err(Trouble::Page(error)) => Err(error.into()),
    }
}

fn burn(time: Duration) -> io::Result<()> {
    let burnt = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    while burnt()? < time {
        std::hint::black_box((0..10_000_u64).sum::<u64>());
    }
    Ok(())
}

enum Trouble {
    Closed,
    Page(io::Error),
}

impl From<Closed> for Trouble {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Page(error)
    }
}

struct Browser {
    connection: Connection,
    page: Page,
    /// By which the agent's messages go out.
    binding: String,
    url: String,
    loader: u32,
}

impl Browser {
    fn listen(&mut self) -> Result<(), Trouble> {
        loop {
            let Some(message) = self.connection.receive(self.page.due())? else {
                let said = self.page.go_on(Instant::now())?;
                self.say(said)?;
                continue;
            };
            let method = message["method"].as_str().unwrap_or_default().to_owned();
            self.handle(&method, &message)?;
            if method == "Browser.close" {
                return Ok(());
            }
        }
    }

    fn handle(&mut self, method: &str, message: &Value) -> Result<(), Trouble> {
        let params = &message["params"];
        match method {
            "Target.createTarget" => {
                let created = json!({ "targetInfo": self.target(false) });
                self.connection.tell(None, "Target.targetCreated", created)?;
                self.connection.answer(message, json!({ "targetId": TARGET }))?;
            }
            "Target.attachToTarget" => {
                let attached = json!({
                    "sessionId": SESSION, "targetInfo": self.target(true), "waitingForDebugger": false,
                });
                self.connection.tell(None, "Target.attachedToTarget", attached)?;
                self.connection.answer(message, json!({ "sessionId": SESSION }))?;
            }
            "Target.getTargets" => {
                self.connection.answer(message, json!({ "targetInfos": [] }))?;
            }
            "Browser.getVersion" => {
                let version = json!({
                    "protocolVersion": "1.3", "product": "Chrome/156.0.8078.79", "revision": "@0",
                    "userAgent": "fake", "jsVersion": "15.6",
                });
                self.connection.answer(message, version)?;
            }
            "Page.getFrameTree" => {
                let tree = json!({ "frameTree": { "frame": self.frame() } });
                self.connection.answer(message, tree)?;
            }
            "Page.setLifecycleEventsEnabled" => {
                self.connection.answer(message, json!({}))?;
                self.tell_loaded()?;
            }
            "Page.createIsolatedWorld" => {
                self.connection.answer(message, json!({ "executionContextId": 2 }))?;
            }
            "Page.addScriptToEvaluateOnNewDocument" => {
                self.connection.answer(message, json!({ "identifier": "1" }))?;
            }
            "Page.captureScreenshot" => {
                self.connection.answer(message, json!({ "data": PICTURE }))?;
            }
            "Runtime.addBinding" => {
                self.binding = params["name"].as_str().unwrap_or_default().into();
                self.connection.answer(message, json!({}))?;
            }
            "Runtime.evaluate" => self.evaluate(message)?,
            "Page.navigate" => {
                self.url = params["url"].as_str().unwrap_or_default().into();
                let loader = self.next_loader();
                self.connection
                    .answer(message, json!({ "frameId": TARGET, "loaderId": loader }))?;
                self.load()?;
            }
            "Page.reload" => {
                self.next_loader();
                self.connection.answer(message, json!({}))?;
                self.load()?;
            }
            _ => self.connection.answer(message, json!({}))?,
        }
        Ok(())
    }

    /// The host evaluates nothing but questions to its agent: `window["_…"]?.("ping", null)`.
    fn evaluate(&mut self, message: &Value) -> Result<(), Trouble> {
        let expression = message["params"]["expression"].as_str().unwrap_or_default();
        let question = expression.split_once("?.(\"").and_then(|(_, rest)| rest.split('"').next());
        let (result, said) = match question {
            Some(question) => {
                let (answer, said) = self.page.answer(question, Instant::now())?;
                (json!({ "type": "string", "value": answer.to_string() }), said)
            }
            None => (json!({ "type": "undefined" }), Vec::new()),
        };
        self.connection.answer(message, json!({ "result": result }))?;
        self.say(said)
    }

    /// A document loads, and its agent begins to speak.
    fn load(&mut self) -> Result<(), Trouble> {
        let frame = json!({ "frame": self.frame(), "type": "Navigation" });
        self.connection.tell(Some(SESSION), "Page.frameNavigated", frame)?;
        self.tell_loaded()?;
        if !self.url.starts_with("http") {
            return Ok(());
        }
        let said = self.page.load(Instant::now());
        self.say(said)
    }

    fn say(&mut self, messages: Vec<String>) -> Result<(), Trouble> {
        for payload in messages {
            let called =
                json!({ "name": self.binding, "payload": payload, "executionContextId": 1 });
            self.connection.tell(Some(SESSION), "Runtime.bindingCalled", called)?;
        }
        Ok(())
    }

    fn tell_loaded(&mut self) -> Result<(), Closed> {
        for name in ["init", "DOMContentLoaded", "load", "networkIdle"] {
            let event = json!({
                "frameId": TARGET, "loaderId": self.loader.to_string(), "name": name, "timestamp": 1.0,
            });
            self.connection.tell(Some(SESSION), "Page.lifecycleEvent", event)?;
        }
        Ok(())
    }

    fn next_loader(&mut self) -> String {
        self.loader += 1;
        self.loader.to_string()
    }

    fn target(&self, attached: bool) -> Value {
        json!({
            "targetId": TARGET, "type": "page", "title": "", "url": self.url,
            "attached": attached, "canAccessOpener": false,
        })
    }

    fn frame(&self) -> Value {
        json!({
            "id": TARGET, "loaderId": self.loader.to_string(), "url": self.url,
            "domainAndRegistry": "", "securityOrigin": "://", "mimeType": "text/html",
            "secureContextType": "Secure", "crossOriginIsolatedContextType": "NotIsolated",
            "gatedAPIFeatures": [],
        })
    }
}
