//! A running stand-in in this process, with the phone and the faults as
//! methods. The same is offered over HTTP by `control`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Settings};
use crate::control::{DEFAULT_NAME, DEFAULT_PHONE, router};
use crate::faults::Fault;
use crate::links::Links;
use crate::qr_image::{read_qr, read_qr_data_url};
use crate::serve::Serving;
use crate::tls::self_signed;
use crate::world::{Linked, PhoneError, StateView, World};

/// A running stand-in; it stops when dropped.
pub struct Standin {
    world: Arc<World>,
    http: SocketAddr,
    https: Option<(SocketAddr, String)>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The state was not as wanted in time.
#[derive(Debug)]
pub struct WaitError {
    /// How long it was waited for.
    pub waited: Duration,
    /// The state at the end.
    pub state: Box<StateView>,
}

impl std::fmt::Display for WaitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the stand-in's state was not as wanted after {:?}: {:#?}",
            self.waited, self.state
        )
    }
}

impl std::error::Error for WaitError {}

impl Standin {
    /// Starts serving; returns once the ports are open.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let links = Links::load(config.state_file.as_deref(), &config.server_key)?;
        let world = Arc::new(World::new(config.settings, links));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let plain = Serving {
            router: router(world.clone()),
            tls: None,
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let http = plain.clone().listen(config.listen).await?;
        let https = match config.https_listen {
            None => None,
            Some(address) => {
                let made = self_signed()?;
                let serving = Serving { tls: Some(made.server_config), ..plain };
                Some((serving.listen(address).await?, made.spki_sha256))
            }
        };
        Ok(Self { world, http, https, stop, tasks })
    }

    /// Address of the page over plain HTTP: `http://127.0.0.1:<port>/`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/", self.http)
    }

    /// Address of the page over HTTPS, when asked for.
    #[must_use]
    pub fn https_base_url(&self) -> Option<String> {
        self.https.as_ref().map(|(address, _)| format!("https://{address}/"))
    }

    /// Where plain HTTP is served.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Where HTTPS is served, when asked for.
    #[must_use]
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.https.as_ref().map(|(address, _)| *address)
    }

    /// SHA-256 of the certificate's public key, base64, for Chromium's
    /// `ignore-certificate-errors-spki-list`.
    #[must_use]
    pub fn spki_sha256(&self) -> Option<&str> {
        self.https.as_ref().map(|(_, spki)| spki.as_str())
    }

    /// Stops serving and ends all connections.
    pub async fn stop(self) {
        self.end_tasks();
        self.tasks.wait().await;
    }

    fn end_tasks(&self) {
        self.stop.cancel();
        self.tasks.close();
        // Sockets that were upgraded belong to no task here: close each.
        self.world.change(crate::world::Inner::close_pages);
    }

    // --- the phone ---------------------------------------------------------

    /// The default account's phone scans the QR in a PNG.
    pub async fn scan_png(&self, png: &[u8]) -> Result<Linked, PhoneError> {
        let payload = read_qr(png).map_err(|_| PhoneError::QrUnreadable)?;
        self.scan_payload_as(&payload, DEFAULT_PHONE, DEFAULT_NAME).await
    }

    /// The default account's phone scans the QR in a PNG data URL.
    pub async fn scan_data_url(&self, data_url: &str) -> Result<Linked, PhoneError> {
        self.scan_data_url_as(data_url, DEFAULT_PHONE, DEFAULT_NAME).await
    }

    /// The phone of this account scans the QR in a PNG data URL.
    pub async fn scan_data_url_as(
        &self,
        data_url: &str,
        phone_number: &str,
        name: &str,
    ) -> Result<Linked, PhoneError> {
        let payload = read_qr_data_url(data_url).map_err(|_| PhoneError::QrUnreadable)?;
        self.scan_payload_as(&payload, phone_number, name).await
    }

    /// The default account's phone scans a QR with this text.
    pub async fn scan_payload(&self, payload: &str) -> Result<Linked, PhoneError> {
        self.scan_payload_as(payload, DEFAULT_PHONE, DEFAULT_NAME).await
    }

    /// The phone of this account scans a QR with this text.
    pub async fn scan_payload_as(
        &self,
        payload: &str,
        phone_number: &str,
        name: &str,
    ) -> Result<Linked, PhoneError> {
        self.world.scan(payload, phone_number, name).await
    }

    /// The owner of this number types the code (`ABCD1234` or `ABCD-1234`).
    pub async fn enter_code(&self, phone_number: &str, code: &str) -> Result<Linked, PhoneError> {
        self.world.enter_code(phone_number, code, DEFAULT_NAME).await
    }

    /// The phone removes all devices of its account; gives how many there were.
    pub fn unlink(&self, phone_number: &str) -> usize {
        self.world.change(|inner| inner.unlink_account(phone_number))
    }

    /// The phone removes one device; false when there was none.
    pub fn unlink_device(&self, device_id: &str) -> bool {
        self.world.change(|inner| inner.unlink_device(device_id))
    }

    // --- faults, settings, state -------------------------------------------

    /// Asks for a fault; gives its id in [`StateView::faults`].
    pub fn add_fault(&self, fault: Fault) -> u64 {
        self.world.change(|inner| inner.add_fault(fault))
    }

    /// Every page that is connected and not linked shows its next ref now.
    pub fn rotate_refs(&self) {
        self.world.change(crate::world::Inner::rotate_refs);
    }

    /// Forgets the faults that have not struck.
    pub fn clear_faults(&self) {
        self.world.change(|inner| inner.faults.clear());
    }

    /// Changes timings and habits; pages that are loaded keep theirs.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.world.change(|inner| change(&mut inner.settings));
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> StateView {
        self.world.read(crate::world::Inner::view)
    }

    /// Waits until the state is as wanted; no polling.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        wanted: impl Fn(&StateView) -> bool,
    ) -> Result<StateView, Box<WaitError>> {
        let mut changes = self.world.watch();
        let found = tokio::time::timeout(deadline, async {
            loop {
                changes.mark_unchanged();
                let state = self.state();
                if wanted(&state) {
                    return state;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        });
        found
            .await
            .map_err(|_| Box::new(WaitError { waited: deadline, state: Box::new(self.state()) }))
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.end_tasks();
    }
}
