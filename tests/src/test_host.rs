//! The real host as a child process, on a folder and a port of its own.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::sys::signal::Signal;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{admin_token, browsers_on, kill, token::ISSUER_KEY, until};

/// What a host is started with.
pub struct TestHostBuilder {
    variables: Vec<(String, String)>,
    on_folder: Vec<FolderSetting>,
}

/// Prepares the host's folder, and gives a setting that follows of it.
type FolderSetting = Box<dyn FnOnce(&Path) -> (String, String) + Send>;

/// A running host. Dropping it ends it, and checks that no browser is left.
pub struct TestHost {
    variables: Vec<(String, String)>,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    client: reqwest::Client,
    token: String,
}

impl TestHostBuilder {
    /// Sets one of the host's settings.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl ToString) -> Self {
        self.variables.push((variable.into(), value.to_string()));
        self
    }

    /// Something to be done in the host's folder before it starts, and the setting
    /// that follows of it.
    pub fn on_folder(&mut self, prepare: impl FnOnce(&Path) -> (String, String) + Send + 'static) {
        self.on_folder.push(Box::new(prepare));
    }

    /// Starts the host and waits until it is ready.
    pub async fn start(self) -> TestHost {
        let mut host = self.unstarted();
        host.launch().await;
        host
    }

    /// A host with its folder and port that does not run yet.
    pub fn unstarted(mut self) -> TestHost {
        let folder = tempfile::Builder::new().prefix("pairing-test-").tempdir().expect("a folder");
        // The browser's user has to pass through.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), mode).expect("it is ours");
        for prepare in self.on_folder {
            self.variables.push(prepare(folder.path()));
        }
        TestHost {
            variables: self.variables,
            folder,
            port: free_port(),
            child: None,
            client: reqwest::Client::builder().no_proxy().build().expect("no TLS is needed"),
            token: admin_token(),
        }
    }
}

impl TestHost {
    /// A host that drives Chromium against this address, with limits on.
    pub fn on(whatsapp_web_url: impl ToString) -> TestHostBuilder {
        TestHostBuilder { variables: Vec::new(), on_folder: Vec::new() }
            .set("PAIRING_WHATSAPP_WEB_URL", whatsapp_web_url)
            .set("PAIRING_JWT_SECRET", ISSUER_KEY)
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The listener's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The token that all requests bear.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The folder of all that is this host's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes one of the settings, from the next launch on; none takes it away.
    pub fn set(&mut self, variable: &str, value: Option<&str>) {
        self.variables.retain(|(name, _)| name != variable);
        if let Some(value) = value {
            self.variables.push((variable.into(), value.into()));
        }
    }

    /// The host's data folder.
    pub fn data_dir(&self) -> PathBuf {
        let set = self.variables.iter().find(|(name, _)| name == "PAIRING_DATA_DIR");
        set.map_or_else(|| self.folder.path().join("data"), |(_, folder)| folder.into())
    }

    /// The URL of the host's database.
    pub fn database_url(&self) -> String {
        let set = self.variables.iter().find(|(name, _)| name == "DATABASE_URL");
        set.map_or_else(
            || format!("sqlite:{}", self.data_dir().join("pairing.db").display()),
            |(_, url)| url.clone(),
        )
    }

    /// The host's process; 0 if it does not run.
    pub fn pid(&self) -> i32 {
        self.child.as_ref().map_or(0, |child| child.id().cast_signed())
    }

    /// All that was logged so far, over restarts.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// All that was printed so far, over restarts.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }

    /// A request by FinBot's admin.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url())).bearer_auth(&self.token)
    }

    /// Gets JSON. Panics where the host can't be reached.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.request(Method::GET, path).send().await.expect("the host answers");
        response.json().await.unwrap_or_default()
    }

    /// Posts JSON, gets JSON; panics unless the host says 200.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.request(Method::POST, path).json(&body);
        let response = request.send().await.expect("the host answers");
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        assert!(status.is_success(), "POST {path}: {status} {body}");
        body
    }

    /// Begins to link a session.
    pub async fn init(&self, session: &str) {
        self.post("/whatsapp/init", json!({ "sessionName": session })).await;
    }

    /// A session's status.
    pub async fn status(&self, session: &str) -> Value {
        self.get(&format!("/whatsapp/status/{session}")).await
    }

    /// Waits until the session has this status, and gives all that is said of it.
    pub async fn until_status(&self, session: &str, status: &str) -> Value {
        until(&format!("{session} is {status}"), async || {
            let now = self.status(session).await;
            (now["status"] == status).then_some(now)
        })
        .await
    }

    /// Waits for a QR code with a number above `after`; gives its data URL.
    pub async fn until_qr(&self, session: &str, after: u64) -> (String, u64) {
        until(&format!("{session} shows a QR code after {after}"), async || {
            let now = self.status(session).await;
            let sequence = now["sequence"].as_u64().filter(|sequence| *sequence > after)?;
            Some((now["qrCode"].as_str()?.to_owned(), sequence))
        })
        .await
    }

    /// Ends the host without warning, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill(child.id().cast_signed(), Signal::SIGKILL);
            let _ = child.wait();
        }
    }

    /// Asks the host to end, and waits for that; gives its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        kill(child.id().cast_signed(), Signal::SIGTERM);
        let status = until("the host ends", async || child.try_wait().ok().flatten()).await;
        status.code()
    }

    /// Whether the process has ended, and how; it has to be launched again then.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        let status = self.child.as_mut()?.try_wait().ok().flatten()?;
        self.child = None;
        Some(status)
    }

    /// Starts the host again on the same folder and port.
    pub async fn launch(&mut self) {
        self.spawn();
        until("the host is ready", async || {
            if let Some(status) = self.child.as_mut()?.try_wait().ok().flatten() {
                panic!("the host ended with {status}:\n{}", self.log());
            }
            let ready =
                self.client.get(format!("{}/health/ready", self.url())).send().await.ok()?;
            ready.status().is_success().then_some(())
        })
        .await;
    }

    /// The same, without waiting until it is ready.
    pub fn spawn(&mut self) {
        let append = |name: &str| {
            let path = self.folder.path().join(name);
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            Stdio::from(file.expect("the folder is ours"))
        };
        let child = Command::new(host_binary())
            .arg("serve")
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("PAIRING_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("PAIRING_DATA_DIR", self.data_dir())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(append("output"))
            .stderr(append("log"))
            .spawn()
            .expect("the host's binary is built: run `make test`, or `cargo build -p pairing-host` first");
        self.child = Some(child);
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.kill();
        // What the host leaves behind when it is killed is its own affair, and
        // tested; here it only must not outlive the test.
        for pid in browsers_on(self.folder.path()) {
            kill(pid, Signal::SIGKILL);
        }
        if std::thread::panicking() {
            eprintln!("the host's log:\n{}", self.log());
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The host.
pub fn host_binary() -> PathBuf {
    binary("pairing-host")
}

/// Cargo puts all binaries of the workspace beside the folder of test binaries.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folders = [test.parent(), test.parent().and_then(Path::parent)];
    let candidates = folders.into_iter().flatten().map(|folder| folder.join(name));
    candidates.into_iter().find(|path| path.exists()).unwrap_or_else(|| name.into())
}
