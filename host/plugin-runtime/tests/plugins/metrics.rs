//! What the metrics say of versions that come and go.

use metrics_exporter_prometheus::PrometheusBuilder;
use pairing_core::{
    plugin::{PluginDigest, Slot},
    workflow::{Context, Input},
};
use pairing_plugin_runtime::{Filling, LoadedVersion, Origin, PluginsConfig, Runtime, digest_of};

use crate::{hostile::component, limits::context};

const SLOT: Slot = Slot::Workflow;

async fn load(runtime: &Runtime, component: &[u8]) -> LoadedVersion {
    let sealed = runtime.compile(SLOT, component).await.unwrap();
    let digest = digest_of(component);
    let origin = Origin { digest, source: "upload".into(), is_proven: true };
    runtime.load(SLOT, sealed, origin).await.unwrap().unwrap()
}

fn fill(runtime: &Runtime, active: LoadedVersion) {
    let (canary, pins) = (None, Vec::new());
    runtime.fill(SLOT, Filling { generation: 1, active, canary, pins, is_new: false });
}

#[tokio::test]
async fn failures_are_counted_and_a_breaker_is_shown_as_long_as_its_version_serves() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let shown = |name: &str, digest: &PluginDigest| {
        let text = recorder.handle().render();
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(&*digest.0));
        line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    let bad = component::workflow(include_str!("../../../../tests/guests/traps.wat"));
    let good = component::workflow(include_str!("../../../../tests/guests/loops.wat"));
    let (bad_digest, good_digest) = (digest_of(&bad), digest_of(&good));
    fill(&runtime, load(&runtime, &bad).await);
    assert_eq!(shown("plugin_breaker_state", &bad_digest).as_deref(), Some("0"));
    for number in 0..5 {
        let session_name = format!("session-{number}").parse().unwrap();
        let context = Context { seed: 666, session_name, ..context() };
        runtime.plugins().workflow.handle(None, &Input::WakeUp, &context).await.unwrap_err();
    }
    assert_eq!(shown("plugin_breaker_state", &bad_digest).as_deref(), Some("2"), "open");
    // Twice each, but for the last one, after which it is not called any more.
    assert_eq!(shown("plugin_calls_total", &bad_digest).as_deref(), Some("9"));
    assert!(recorder.handle().render().contains("result=\"trapped\""), "by kind");
    // As a replay of it does.
    drop(load(&runtime, &bad).await);
    assert_eq!(shown("plugin_breaker_state", &bad_digest).as_deref(), Some("2"), "still");
    fill(&runtime, load(&runtime, &good).await);
    assert_eq!(shown("plugin_breaker_state", &bad_digest).as_deref(), Some("0"), "gone");
    assert_eq!(shown("plugin_active", &bad_digest).as_deref(), Some("0"));
    assert_eq!(shown("plugin_active", &good_digest).as_deref(), Some("1"));
}
