//! The machine's clock is set: by an hour, by a day, to 1970, to after 2038; for the
//! host and for Postgres. No session is dropped, nothing is tried again in a storm,
//! no event is lost. Only what tokens say of time is held against it.
//!
//! libfaketime shows the processes another time, which stands in a file. Their
//! monotonic clock goes on as it is, as on a machine whose clock is set.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use pairing_core::clock::{Clock, SystemClock};
use pairing_store::testing::PostgresServer;
use pairing_tests::{
    Leftovers, Oracle, TestHost, TestHostBuilder, assert_good, main_browsers_on, seed, token_at,
};
use serde_json::json;
use tempfile::TempDir;

use super::{link, names, watching};

const FLAGS: &str = "--fake-links-after=50 --fake-flap-every=790";
const STEPS: [(&str, i64); 4] =
    [("+1 h", 3600), ("-1 h", -3600), ("+1 day", 86_400), ("-1 day", -86_400)];
/// Seconds since 1970: its second day, and a year after 32 bits end.
const EPOCHS: [(&str, i64); 2] = [("1970", 86_400), ("2039", 2_177_452_800)];

/// A clock that can be set, for processes that are started with its variables.
struct FakeTime {
    folder: TempDir,
    library: PathBuf,
}

impl FakeTime {
    fn new() -> Self {
        let library = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .iter()
            .map(|machine| Path::new("/usr/lib").join(machine).join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.exists())
            .expect("libfaketime is missing: run `make setup`");
        let folder = tempfile::Builder::new().prefix("clock-").tempdir().unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        let clock = Self { folder, library };
        clock.set(0);
        clock
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// By so many seconds from the true time.
    fn set(&self, offset: i64) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{offset:+}")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&new, mode).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    fn variables(&self) -> Vec<(String, String)> {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_the_hosts_clock_drops_no_session_and_loses_no_event() {
    let clock = FakeTime::new();
    let host = clock
        .variables()
        .into_iter()
        .fold(TestHost::with_fake_browsers(FLAGS), |host, (name, value)| host.set(&name, value));
    goes_on(host, &clock, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_the_databases_clock_drops_no_session_and_loses_no_event() {
    let clock = FakeTime::new();
    let postgres = PostgresServer::start_with(&clock.variables()).await;
    let url = postgres.database().await;
    goes_on(TestHost::with_fake_browsers(FLAGS).set("DATABASE_URL", url), &clock, false).await;
}

async fn goes_on(host: TestHostBuilder, clock: &FakeTime, of_host: bool) {
    let now = SystemClock.now().0 / 1000;
    let epochs = EPOCHS.map(|(name, at)| (name, at - now.cast_signed()));
    let sessions = names("clock", 4);
    let mut host = host.start().await;
    // Its token lives two days, and was made long ago: only the years are too much.
    let oracle = Oracle::watch(&host, &watching(&sessions, 0, seed())).await;
    link(&host, &sessions).await;
    let browsers = main_browsers_on(&host.data_dir());

    for (name, step) in STEPS.into_iter().chain(epochs) {
        clock.set(step);
        let token = token_at(now.saturating_add_signed(step), json!({}));
        // Several looks of whoever might look at a clock.
        tokio::time::sleep(Duration::from_secs(4)).await;
        if of_host {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let url = format!("{}/whatsapp/status/{}", host.url(), sessions[0]);
            let answer = client.get(&url).bearer_auth(&token).send().await.unwrap();
            assert_eq!(answer.status(), 200, "at {name} a token of that time is good");
            if step > 86_000 {
                let answer = client.get(&url).bearer_auth(host.token()).send().await.unwrap();
                assert_eq!(answer.status(), 401, "at {name} a token of before has ended");
            }
        }
        assert_eq!(main_browsers_on(&host.data_dir()), browsers, "at {name} the browsers run on");
    }
    clock.set(0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let restarts = host.log().matches("browser started").count();
    assert_eq!(restarts, sessions.len(), "nothing was started again");

    assert_good(&oracle.verdict().await);
    assert!(!host.log().contains("panicked"), "{}", host.log());
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}
