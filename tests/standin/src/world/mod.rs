//! WhatsApp's server as the page and the phone meet it: who is connected,
//! which ref and code are valid now, which devices are linked. One lock, no
//! I/O under it but the small file of [`crate::links`]; frames leave through
//! each page's queue.

mod boot;
mod live_faults;
mod pages;
mod phone;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Settings;
use crate::faults::{Target, Waiting};
use crate::links::Links;
use crate::protocol::ToPage;

pub use phone::{Linked, PhoneError, Via};
pub use view::{DeviceView, PageView, StateView};

use pages::Page;

/// The whole of the stand-in's server side.
pub(crate) struct World {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    links: Links,
    pub(crate) faults: Waiting,
    pages: BTreeMap<u64, Page>,
    connections: u64,
    boots: u64,
    counters: BTreeMap<&'static str, u64>,
    /// Headers of each browser's last request for the page.
    request_signs: BTreeMap<String, BTreeMap<String, String>>,
    /// Phones that wait for a page to accept their answer, by device.
    pairing: HashMap<String, oneshot::Sender<phone::PageAnswerToPhone>>,
}

/// What a page's socket task sends or does next.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(ToPage),
    Close,
}

pub(crate) type Outbox = mpsc::UnboundedSender<Outgoing>;

impl World {
    pub(crate) fn new(settings: Settings, links: Links) -> Self {
        Self {
            inner: Mutex::new(Inner {
                settings,
                links,
                faults: Waiting::default(),
                pages: BTreeMap::new(),
                connections: 0,
                boots: 0,
                counters: BTreeMap::new(),
                request_signs: BTreeMap::new(),
                pairing: HashMap::new(),
            }),
            changed: watch::Sender::new(0),
        }
    }

    /// Runs one step under the lock and tells the watchers.
    pub(crate) fn change<T>(&self, step: impl FnOnce(&mut Inner) -> T) -> T {
        let done = step(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        done
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.lock())
    }

    /// Wakes at each change; for waiting until the state is as wanted.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    /// The account linked in a browser profile, for aiming faults.
    fn phone_number_in(&self, browser: &str) -> Option<String> {
        self.links
            .devices
            .values()
            .find(|device| device.browser == browser)
            .map(|device| device.account.phone_number.clone())
    }

    fn subject(&self, browser: &str, connection: Option<u64>) -> Target {
        Target {
            browser: Some(browser.to_owned()),
            phone_number: self.phone_number_in(browser),
            connection,
        }
    }
}

/// Random text for refs and nonces.
fn random_base64(bytes: usize) -> String {
    let random: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    STANDARD.encode(random)
}
