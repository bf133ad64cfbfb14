//! A browser in the custody of its sentinel: confined, limited, and ended with the
//! host at the latest.

use std::{io, os::fd::BorrowedFd, path::Path, process::ExitStatus, time::Duration};

use pairing_sentinel::{
    Browser, Isolation, Launch, MemoryGroup, MemoryLimits, Sentinel, SentinelProgram,
};
use tokio::{process::ChildStderr, sync::OnceCell};

use crate::config::{BrowserUser, EngineConfig};

pub(crate) const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How the browsers of an engine are held.
#[derive(Debug)]
pub(crate) struct Custody {
    program: SentinelProgram,
    deadline: Duration,
    /// Asked for once, at the first start.
    isolation: OnceCell<Isolation>,
    memory: Option<(MemoryLimits, u64)>,
}

/// A browser's program and what it is given.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) home: &'a Path,
    /// None: its temporary files go where all go.
    pub(crate) temporary: Option<&'a Path>,
    pub(crate) user: BrowserUser,
    /// The profile's, which is held as long as any of its processes lives.
    pub(crate) lock: Option<BorrowedFd<'a>>,
}

impl Custody {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        let memory = config.memory_limit.and_then(|bytes| match MemoryLimits::find() {
            Ok(limits) => Some((limits, bytes)),
            Err(why) => {
                tracing::warn!(why, "the memory of browsers is not limited");
                None
            }
        });
        Self {
            program: config.sentinel.clone(),
            deadline: config.sentinel_deadline,
            isolation: OnceCell::new(),
            memory,
        }
    }

    /// Starts the browser. Gives its standard error beside it.
    pub(crate) async fn start(
        &self,
        start: Start<'_>,
    ) -> io::Result<(BrowserProcess, ChildStderr)> {
        let isolation = self.isolation.get_or_try_init(|| self.probe()).await?;
        let mut sentinel = Sentinel::start(Launch {
            program: &self.program,
            lock: start.lock,
            browser: start.browser(),
            isolation,
            deadline: self.deadline,
            memory: self.memory_group()?,
        })?;
        let stderr = sentinel.take_stderr();
        let stderr = stderr.ok_or_else(|| io::Error::other("the browser has no standard error"))?;
        Ok((BrowserProcess(sentinel), stderr))
    }

    async fn probe(&self) -> io::Result<Isolation> {
        let isolation = Isolation::probe(&self.program).await?;
        if let Isolation::ProcessGroup { because } = &isolation {
            tracing::warn!(because, "browsers get no namespaces of their own");
        }
        Ok(isolation)
    }

    fn memory_group(&self) -> io::Result<Option<MemoryGroup>> {
        let group = self.memory.as_ref().map(|(limits, bytes)| limits.group(*bytes));
        group.transpose().map_err(|error| {
            io::Error::new(error.kind(), format!("a control group for its memory: {error}"))
        })
    }
}

impl Start<'_> {
    fn browser(self) -> Browser {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut environment = vec![
            ("PATH".into(), SEARCH_PATH.into()),
            ("HOME".into(), text(self.home)),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        if let Ok(zone) = std::env::var("TZ") {
            environment.push(("TZ".into(), zone));
        }
        if let Some(temporary) = self.temporary {
            environment.push(("TMPDIR".into(), text(temporary)));
        }
        Browser {
            program: self.program.to_owned(),
            arguments: self.arguments,
            environment,
            folder: self.home.to_owned(),
            user: self.user.is_other.then(|| (self.user.uid.as_raw(), self.user.gid.as_raw())),
        }
    }
}

/// The browser with all its processes. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct BrowserProcess(Sentinel);

impl BrowserProcess {
    /// The sentinel's number; whoever kills that ends the browser.
    pub(crate) fn id(&self) -> i32 {
        self.0.id()
    }

    /// Waits until the browser answers, and gives its address, or why it could not
    /// be started. Nothing comes if it ends instead.
    pub(crate) async fn ready(&self) -> Result<String, String> {
        self.0.ready().await
    }

    /// Waits until all its processes have ended. The status is the main process's.
    pub(crate) async fn ended(&self) -> ExitStatus {
        self.0.ended().await
    }

    pub(crate) fn kill(&self) {
        self.0.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunAs;

    async fn start(script: &str) -> (BrowserProcess, ChildStderr) {
        let user = BrowserUser::find(&RunAs::UserIfRoot("nobody".into())).unwrap();
        let mut config = EngineConfig::new("/");
        // Built with the tests.
        let folder = std::env::current_exe().unwrap().parent().unwrap().join("../examples");
        config.sentinel =
            SentinelProgram { program: folder.join("engine_sentinel"), arguments: Vec::new() };
        let start = Start {
            program: Path::new("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            home: Path::new("/"),
            temporary: None,
            user,
            lock: None,
        };
        Custody::new(&config).start(start).await.unwrap()
    }

    #[tokio::test]
    async fn its_children_end_with_it_and_its_status_is_told() {
        use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
        let (process, stderr) = start("sleep 600 & echo $! >&2; exit 21").await;
        let mut lines = BufReader::new(stderr);
        let mut child = String::new();
        lines.read_line(&mut child).await.unwrap();
        assert_eq!(process.ended().await.code(), Some(21));
        // The child holds standard error open: its end is the child's.
        lines.read_to_end(&mut Vec::new()).await.unwrap();
    }

    #[tokio::test]
    async fn dropping_it_ends_it_and_it_has_no_environment_and_no_root() {
        use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
        let (process, stderr) =
            start("id -u >&2; env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; echo >&2; sleep 600")
                .await;
        let mut lines = BufReader::new(stderr).lines();
        assert_ne!(lines.next_line().await.unwrap().unwrap(), "0");
        let environment = lines.next_line().await.unwrap().unwrap();
        for name in environment.split_whitespace() {
            assert!(
                ["HOME", "LANG", "PATH", "PWD", "TZ", "OLDPWD", "SHLVL", "_"].contains(&name),
                "{name}"
            );
        }
        drop(process);
        lines.into_inner().read_to_end(&mut Vec::new()).await.unwrap();
    }
}
