//! One component in the host's runtime.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pairing_core::{
    handler::{Attempt, EventHandlers as _, HandleError, HandlerEvent},
    plugin::Slot,
    subscription::{SubscriptionId, SubscriptionSettings},
};
use pairing_plugin_runtime::{
    Authority, Filling, GuestLogs, HandlerParts, Origin, PluginsConfig, Runtime, digest_of,
};
use secrecy::SecretString;

use super::{
    memory_kv::MemoryKv,
    network::{Network, Recorded},
    stopped_clock::StoppedClock,
    usage::Usage,
    vector::{Answer, Outcome},
};
use crate::{native_code::NativeCode, project::Project};

/// A component that is ready to be tried.
pub(super) struct Trial {
    threads: tokio::runtime::Runtime,
    runtime: Runtime,
    network: Network,
    kv: Arc<MemoryKv>,
    clock: Arc<StoppedClock>,
    logs: GuestLogs,
    usage: Usage,
    id: SubscriptionId,
    settings: SubscriptionSettings,
    sealed: Vec<u8>,
    origin: Origin,
    seen: u64,
    generation: u64,
}

/// How an event ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) result: Result<(), HandleError>,
    pub(super) requests: Vec<Recorded>,
    /// Such as `info: done`.
    pub(super) log: Vec<String>,
    pub(super) cpu_time: Duration,
    pub(super) time: Duration,
    pub(super) memory: u64,
}

impl Ended {
    pub(super) fn outcome(&self) -> Outcome {
        self.result.as_ref().err().map_or(Outcome::Handled, Outcome::from)
    }
}

impl Trial {
    /// Compiles the project's component, unless that was done before.
    pub(super) fn start(project: &Project, config: PluginsConfig) -> anyhow::Result<Self> {
        let path = project.component();
        let component = std::fs::read(&path).with_context(|| {
            format!("could not read {}: run `pairing-host plugin build` first", path.display())
        })?;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("could not start threads")?;
        let secrets = project.manifest.secrets.clone();
        // Clients look for the threads that they are made on.
        let inside = threads.enter();
        let (network, egress) = Network::new(secrets.clone())?;
        let (kv, clock) = (Arc::new(MemoryKv::default()), Arc::new(StoppedClock::default()));
        let logs = GuestLogs::default();
        let parts =
            HandlerParts { kv: kv.clone(), egress, clock: clock.clone(), logs: logs.clone() };
        let kept = NativeCode::of(project)?;
        let config = PluginsConfig { seal_key: Some(kept.key()), ..config };
        let runtime = Runtime::start_with_handlers(config, parts)?;
        let slot = Slot::Handler(project.name());
        let sealed = threads.block_on(kept.compile(&runtime, slot, &component))?;
        let id = SubscriptionId { handler: project.name(), name: "default".parse()? };
        runtime.set_subscriptions(project.name(), vec![authority(project, &id, secrets)]);
        let origin =
            Origin { digest: digest_of(&component), source: "trial".into(), is_proven: true };
        drop(inside);
        let mut trial = Self {
            threads,
            runtime,
            network,
            kv,
            clock,
            logs,
            usage: Usage::default(),
            id,
            settings: project.manifest.subscription.clone(),
            sealed,
            origin,
            seen: 0,
            generation: 0,
        };
        trial.load()?;
        Ok(trial)
    }

    /// Takes the component up as if it had never failed.
    fn load(&mut self) -> anyhow::Result<()> {
        let slot = Slot::Handler(self.id.handler);
        let loading = self.runtime.load(slot, self.sealed.clone(), self.origin.clone());
        let active = self.threads.block_on(loading)?;
        let active = active.context("the compiled code is damaged: remove the folder dist")?;
        let missing = active.missing_grants(&self.settings.grants);
        if !missing.is_empty() {
            bail!(
                "it imports what [subscription.grants] in plugin.toml does not grant; grant it there, or take it out of wit/world.wit:\n  {}",
                missing.join("\n  ")
            );
        }
        self.generation += 1;
        let filling = Filling {
            generation: self.generation,
            active,
            canary: None,
            pins: Vec::new(),
            is_new: false,
        };
        self.runtime.fill(slot, filling);
        Ok(())
    }

    /// Waits for something on the trial's threads.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.threads.block_on(work)
    }

    /// Would the subscription get this event?
    pub(super) fn wants(&self, event: &HandlerEvent) -> bool {
        let SubscriptionSettings { sessions, types, .. } = &self.settings;
        sessions.as_ref().is_none_or(|sessions| sessions.contains(&event.session))
            && types.as_ref().is_none_or(|types| types.contains(event.data.kind()))
    }

    /// Hands an event to a component that remembers none before it.
    pub(super) fn hand_over(
        &mut self,
        event: HandlerEvent,
        attempt: u32,
        answers: impl IntoIterator<Item = Answer>,
    ) -> anyhow::Result<Ended> {
        self.kv.clear();
        self.clock.set(event.at);
        self.network.expect(answers);
        let attempt = Attempt { number: attempt, first_at: event.at };
        let began = Instant::now();
        let (result, cpu_time, memory) = self.usage.measure(|| {
            self.threads.block_on(self.runtime.handle(&self.id, Arc::new(event), attempt))
        });
        let time = began.elapsed();
        let lines = self.logs.lines(self.id.handler, self.seen);
        self.seen = lines.last().map_or(self.seen, |line| line.number);
        if result.as_ref().is_err_and(|error| Outcome::from(error) == Outcome::Failed) {
            self.load()?;
        }
        let log = lines.iter().map(|line| format!("{}: {}", line.level.as_str(), line.message));
        Ok(Ended {
            result,
            requests: self.network.requests(),
            log: log.collect(),
            cpu_time,
            time,
            memory,
        })
    }
}

fn authority(
    project: &Project,
    id: &SubscriptionId,
    secrets: BTreeMap<String, String>,
) -> Authority {
    let secrets = secrets.into_iter().map(|(name, value)| (name, SecretString::from(value)));
    Authority {
        id: id.clone(),
        settings: project.manifest.subscription.clone(),
        secrets: secrets.collect(),
    }
}
