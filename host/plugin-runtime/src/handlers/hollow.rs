//! The WASI of handlers: there, because languages' runtimes import it, and empty.
//! No environment, no arguments, no folder, no network, nothing to read; a clock
//! and chance only where they are granted. What is written goes to the
//! handler's own lines.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use pairing_core::{clock::SharedClock, handler::HandlerEvent, subscription::Grants};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncWrite, time::Instant};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
    random::Deterministic,
};

/// Without the grant the random bytes of one event repeat after so many.
const SEEDED: usize = 4096;
/// Bytes that are kept of what a guest writes in one event.
const WRITTEN: usize = 16 << 10;

/// An empty WASI; `grants` gives clock and chance.
pub(crate) fn wasi(
    grants: Option<&Grants>,
    event: Option<&HandlerEvent>,
    clock: &SharedClock,
    output: &Output,
) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(SEEDED as u64)
        .stdout(output.clone())
        .stderr(output.clone())
        .monotonic_clock(SinceTheBeginning(Instant::now()));
    if grants.is_some_and(|grants| grants.clock) {
        wasi.wall_clock(Told(clock.clone()));
    } else {
        wasi.wall_clock(Fixed(event.map_or(0, |event| event.at.0)));
    }
    if !grants.is_some_and(|grants| grants.random) {
        let seed = seed(event.map_or("", |event| &event.id));
        wasi.secure_random(Deterministic::new(seed.clone()))
            .insecure_random(Deterministic::new(seed.clone()))
            .insecure_random_seed(
                seed.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte)),
            );
    }
    wasi.build()
}

/// The same bytes for the same event, so that it is handled alike each time.
fn seed(event: &str) -> Vec<u8> {
    let block = |number: u64| Sha256::new().chain_update(event).chain_update(number.to_be_bytes());
    (0..).flat_map(|number| block(number).finalize()).take(SEEDED).collect()
}

struct Told(SharedClock);

impl HostWallClock for Told {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().0)
    }
}

/// Stands still at the time of the event.
struct Fixed(u64);

impl HostWallClock for Fixed {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// Runtimes need it for their time-outs. It tells nothing of the host, and in
/// whole milliseconds alone.
struct SinceTheBeginning(Instant);

impl HostMonotonicClock for SinceTheBeginning {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_mul(1_000_000)
    }
}

/// What a guest has written to its standard output and error.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Its lines, and forgets them.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = WRITTEN.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITTEN)
    }
}
