//! A guest that goes too far ends with the right name, and alone.

use std::time::Duration;

use futures::future::join_all;
use pairing_core::{
    plugin::{PluginError, Slot},
    renderer::{Image, RenderOptions},
    workflow::{Context, Input, PairingSettings},
};
use pairing_plugin_runtime::{Limits, Plugins, PluginsConfig};

use crate::guests::{self, moody};

const SLOT: Slot = Slot::QrRenderer;

async fn plugins() -> Plugins {
    guests::load("qr-renderer", &moody::component()).await.unwrap()
}

async fn render(plugins: &Plugins, size: u32) -> Result<Image, PluginError> {
    let options = RenderOptions { size, ..Default::default() };
    plugins.renderer.render(&"sales".parse().unwrap(), &"2@a-live-secret".into(), options).await
}

async fn error(plugins: &Plugins, size: u32) -> PluginError {
    match render(plugins, size).await {
        Ok(_) => panic!("it drew"),
        Err(error) => error,
    }
}

async fn draws(plugins: &Plugins) {
    let image = render(plugins, moody::DRAWS).await.unwrap();
    assert_eq!((image.width, image.height, &image.bytes[..]), (1, 2, &b"imag"[..]));
}

pub(crate) fn context() -> Context {
    Context {
        session_name: "pairing-console".parse().unwrap(),
        now: pairing_core::clock::Timestamp(1_790_000_000_000),
        seed: 7,
        input_number: 1,
        settings: PairingSettings::default(),
        watched: true,
    }
}

#[tokio::test]
async fn a_guest_that_loops_for_ever_is_ended_and_others_go_on() {
    let plugins = plugins().await;
    let spinning = join_all((0..4).map(|_| error(&plugins, moody::SPINS)));
    let context = context();
    let deciding = async {
        for _ in 0..20 {
            plugins.workflow.handle(None, &Input::HostStarted, &context).await.unwrap();
        }
    };
    let (ended, ()) = tokio::join!(spinning, deciding);
    let deadline = PluginError::Deadline { slot: SLOT, budget: Duration::from_millis(50) };
    assert_eq!(ended, vec![deadline; 4]);
    draws(&plugins).await;
}

#[tokio::test]
async fn a_guest_without_fuel_is_ended() {
    let limits = Limits { fuel: 100_000, cpu_time: Duration::from_secs(600), ..Default::default() };
    let config = PluginsConfig { limits, ..Default::default() };
    let plugins = guests::load_with("qr-renderer", &moody::component(), config).await;
    // The shipped components need less than that to say what they are.
    let plugins = plugins.unwrap();
    let fuel = PluginError::Fuel { slot: SLOT, fuel: 100_000 };
    assert_eq!(error(&plugins, moody::SPINS).await, fuel);
    draws(&plugins).await;
}

#[tokio::test]
async fn memory_is_summed_over_all_memories_of_a_guest() {
    let plugins = plugins().await;
    render(&plugins, moody::TAKES_14_MIB).await.unwrap();
    let memory = PluginError::Memory { slot: SLOT, limit_mib: 16 };
    assert_eq!(error(&plugins, moody::TAKES_16_MIB).await, memory);
    draws(&plugins).await;
}

#[tokio::test]
async fn a_guest_that_recurses_for_ever_traps() {
    let plugins = plugins().await;
    let PluginError::Trapped { message, .. } = error(&plugins, moody::RECURSES).await else {
        panic!("not a trap");
    };
    assert!(message.contains("call stack exhausted"), "{message}");
    draws(&plugins).await;
}

#[tokio::test]
async fn after_a_trap_the_next_call_is_fine() {
    let plugins = plugins().await;
    for _ in 0..50 {
        let PluginError::Trapped { message, .. } = error(&plugins, moody::PANICS).await else {
            panic!("not a trap");
        };
        assert!(message.contains("unreachable"), "{message}");
        draws(&plugins).await;
    }
}

#[tokio::test]
async fn too_large_an_input_or_answer_is_refused() {
    let plugins = plugins().await;
    let limit = 256 << 10;
    let image = PluginError::TooLarge { slot: SLOT, what: "the image", size: limit + 1, limit };
    assert_eq!(error(&plugins, moody::ANSWERS_TOO_MUCH).await, image);
    let PluginError::Trapped { message, .. } = error(&plugins, moody::ANSWERS_FAR_TOO_MUCH).await
    else {
        panic!("not ended");
    };
    assert!(message.contains("too much data"), "{message}");

    let payload = "x".repeat(limit + 1).into();
    let refused = plugins
        .renderer
        .render(&"sales".parse().unwrap(), &payload, RenderOptions::default())
        .await
        .err();
    let size = limit + 1;
    assert_eq!(
        refused,
        Some(PluginError::TooLarge { slot: SLOT, what: "the payload", size, limit })
    );

    let state = vec![b'x'; limit + 1];
    let state = Some((1, &state[..]));
    let refused = plugins.workflow.handle(state, &Input::WakeUp, &context()).await.unwrap_err();
    let slot = Slot::Workflow;
    assert_eq!(refused, PluginError::TooLarge { slot, what: "the state", size, limit });
}

#[tokio::test]
async fn no_error_of_the_renderer_holds_the_payload() {
    let plugins = plugins().await;
    for size in 64..=73 {
        let Err(error) = render(&plugins, size).await else { continue };
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    assert!(matches!(error(&plugins, moody::REFUSES).await, PluginError::Refused { .. }));
    let other = error(&plugins, moody::DRAWS_SOMETHING_ELSE).await;
    assert!(other.to_string().contains("image/png"), "{other}");
}

/// Neither memory nor globals outlive a call: the guest's own marks are gone.
#[tokio::test]
async fn a_call_leaves_nothing_for_the_next_one() {
    let plugins = plugins().await;
    for _ in 0..20 {
        error(&plugins, moody::DRAWS_SOMETHING_ELSE).await;
        draws(&plugins).await;
    }
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_keep_a_thread() {
    let config = PluginsConfig { threads: 2, queue: 1, ..Default::default() };
    let plugins = guests::load_with("qr-renderer", &moody::component(), config).await.unwrap();
    let calling = tokio::time::timeout(Duration::from_millis(1), render(&plugins, moody::SPINS));
    assert!(calling.await.is_err());
    // The one place is free again as soon as the guest has been ended.
    while let Err(error) = render(&plugins, moody::DRAWS).await {
        assert_eq!(error, PluginError::Busy { slot: SLOT });
        tokio::task::yield_now().await;
    }
}
