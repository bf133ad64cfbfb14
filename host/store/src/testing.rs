//! A Postgres of its own for tests: nothing has to run beforehand, and nothing
//! runs afterwards, however the test process ends.

use std::{
    ffi::OsString,
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, getuid},
};
use sqlx::{Connection, postgres::PgConnection};
use tokio::sync::OnceCell;

/// A slow, busy machine included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs Postgres until its standard input ends, which happens when the test
/// process closes it or dies; then removes the folder, unless told to keep it.
const KEEPER: &str = r#"
folder=$1; shift
"$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
read -r word
kill -CONT $server 2>/dev/null
kill -QUIT $server 2>/dev/null
wait $server
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A running Postgres server on a Unix socket in a folder of its own. It is
/// stopped and removed when this is dropped, and when the process ends.
#[must_use = "the server stops when this is dropped"]
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    account: Option<User>,
    /// What the server's environment has beside what it inherits.
    variables: Vec<(String, String)>,
    keeper: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl PostgresServer {
    /// The server that all tests of this process share.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<PostgresServer> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A server that the test may freeze and kill.
    ///
    /// # Panics
    /// If Postgres is not installed or does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with these variables in its environment.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    pub async fn start_with(variables: &[(String, String)]) -> Self {
        let made = tokio::task::spawn_blocking(Self::make).await;
        let mut server = made.expect("set-up panicked");
        server.variables = variables.to_vec();
        server.run();
        server.wait_until_ready().await;
        server
    }

    /// Makes an empty database; answers its URL.
    ///
    /// # Panics
    /// If the server does not do it.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection =
            PgConnection::connect(&self.url("postgres")).await.expect("server is reachable");
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("database is made");
        connection.close().await.expect("connection closes");
        self.url(&name)
    }

    /// Stops every process of the server where it stands (SIGSTOP): connections
    /// stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    /// Ends the server without a clean shutdown; its data stays.
    pub fn crash(&self) {
        self.end(b"keep\n");
    }

    fn end(&self, word: &[u8]) {
        if let Some(mut keeper) = self.keeper.lock().expect("not poisoned").take() {
            if let Some(mut stdin) = keeper.stdin.take() {
                // A keeper that is gone has nothing left to end.
                let _ = stdin.write_all(word);
            }
            keeper.wait().expect("keeper ends");
        }
    }

    /// Starts the server again after [`PostgresServer::crash`].
    pub async fn restart(&self) {
        self.run();
        self.wait_until_ready().await;
    }

    fn make() -> Self {
        let programs = programs();
        let account = getuid().is_root().then(unprivileged);
        let folder = tempfile::Builder::new()
            .prefix("pairing-postgres-")
            .tempdir_in("/tmp")
            .expect("/tmp is writable")
            .keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("folder is ours");
        if let Some(user) = &account {
            chown(&folder, Some(user.uid), Some(user.gid)).expect("root may give folders away");
        }
        let server = Self {
            folder,
            programs,
            account,
            variables: Vec::new(),
            keeper: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        let made = server
            .command(&server.programs.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--no-locale", "--encoding=UTF8"])
            .args(["--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }

    /// As the unprivileged account when we are root: Postgres refuses root.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("LC_ALL", "C");
        if let Some(user) = &self.account {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn run(&self) {
        let mut sockets = OsString::from("unix_socket_directories=");
        sockets.push(&self.folder);
        let keeper = self
            .command(Path::new("/bin/sh"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(["-c", KEEPER, "keeper"])
            .arg(&self.folder)
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(self.data())
            .args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c"])
            .arg(sockets)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("/bin/sh runs");
        *self.keeper.lock().expect("not poisoned") = Some(keeper);
    }

    async fn wait_until_ready(&self) {
        let began = Instant::now();
        loop {
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => {
                    drop(connection);
                    return;
                }
                Err(error) => assert!(
                    began.elapsed() < PATIENCE,
                    "Postgres did not start: {error}\n{}",
                    fs::read_to_string(self.folder.join("log")).unwrap_or_default()
                ),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The server and its children, each of which is a session of its own.
    fn signal_all(&self, signal: Signal) {
        let Some(server) = self.pid() else { return };
        let children = fs::read_dir("/proc")
            .expect("Linux")
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| parent_of(*pid) == Some(server));
        for pid in std::iter::once(server).chain(children) {
            // One that has just ended needs no signal.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    fn pid(&self) -> Option<i32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.thaw();
        self.end(b"");
        // Here still if it was dropped after a crash.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn unprivileged() -> User {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .expect("the machine has a user `postgres` or `nobody`")
}

/// The folder with `initdb` and `postgres`: Debian's newest, or from the path.
fn programs() -> PathBuf {
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("Postgres is not installed: run `make setup`")
}
