//! Components are compiled in a process of their own, and compiled code is taken
//! only where this host sealed it.

use std::{path::PathBuf, time::Duration};

use pairing_core::{plugin::Slot, workflow::Input};
use pairing_plugin_runtime::{
    ChildCompiler, Compiler, Filling, Origin, PluginsConfig, Refusal, Runtime, digest_of, embedded,
};

use crate::{guests::component_of, limits::context};

fn child() -> ChildCompiler {
    ChildCompiler::new(PathBuf::from(env!("CARGO_BIN_EXE_plugin-compiler")), Vec::new())
}

fn runtime(key: u8, compiler: Compiler) -> Runtime {
    let seal_key = Some(vec![key; 32].into());
    Runtime::start(PluginsConfig { seal_key, compiler, ..Default::default() }).unwrap()
}

fn origin(component: &[u8]) -> Origin {
    Origin { digest: digest_of(component), source: "upload".into(), is_proven: false }
}

#[tokio::test]
async fn what_a_child_compiled_runs_and_is_what_the_host_itself_would_make() {
    let runtime = runtime(1, Compiler::Child(child()));
    let component = embedded(Slot::Workflow).unwrap();
    let sealed = runtime.compile(Slot::FanOut, component).await.unwrap();
    let here = self::runtime(1, Compiler::InProcess);
    assert_eq!(here.compatibility(Slot::FanOut), runtime.compatibility(Slot::FanOut));
    assert!(
        here.compile(Slot::FanOut, component).await.unwrap() == sealed,
        "the same code, byte for byte"
    );

    let active = runtime.load(Slot::Workflow, sealed, origin(component)).await.unwrap().unwrap();
    let filling = Filling { generation: 1, active, canary: None, pins: Vec::new(), is_new: false };
    runtime.fill(Slot::Workflow, filling);
    let workflow = runtime.plugins().workflow;
    workflow.handle(None, &Input::HostStarted, &context()).await.unwrap();
}

#[tokio::test]
async fn code_that_was_changed_or_is_anothers_is_not_taken() {
    let runtime = runtime(1, Compiler::InProcess);
    let component = embedded(Slot::FanOut).unwrap();
    let good = runtime.compile(Slot::FanOut, component).await.unwrap();
    for place in [0, 40, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        let taken = runtime.load(Slot::FanOut, bad, origin(component)).await.unwrap();
        assert!(taken.is_none(), "changed at {place}");
    }
    for cut in [0, 20, good.len() / 2] {
        let cut = good[..cut].to_vec();
        assert!(runtime.load(Slot::FanOut, cut, origin(component)).await.unwrap().is_none());
    }
    let other = origin(embedded(Slot::Workflow).unwrap());
    assert!(runtime.load(Slot::FanOut, good.clone(), other).await.unwrap().is_none());
    assert!(runtime.load(Slot::FanOut, good, origin(component)).await.unwrap().is_some());
}

#[tokio::test]
async fn hosts_with_other_keys_neither_take_nor_replace_each_others_code() {
    let (one, other) = (runtime(1, Compiler::InProcess), runtime(2, Compiler::InProcess));
    assert_ne!(one.compatibility(Slot::FanOut), other.compatibility(Slot::FanOut));
    let component = embedded(Slot::FanOut).unwrap();
    let sealed = one.compile(Slot::FanOut, component).await.unwrap();
    assert!(other.load(Slot::FanOut, sealed, origin(component)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_component_that_bombs_the_compiler_is_given_up_and_the_host_goes_on() {
    let module = crate::compile_bomb::module();
    let bomb = component_of("package test:bomb; world bomb {}", "bomb", &module);
    let short = ChildCompiler { time: Duration::from_secs(1), ..child() };
    let runtime = runtime(1, Compiler::Child(short));
    let refusal = runtime.compile(Slot::FanOut, &bomb).await.unwrap_err();
    assert_eq!(refusal, Refusal::CompileTime { limit: Duration::from_secs(1) });
    runtime.compile(Slot::FanOut, embedded(Slot::FanOut).unwrap()).await.ok();

    let small = ChildCompiler { memory: 128 << 20, ..child() };
    let runtime = self::runtime(1, Compiler::Child(small));
    let refusal = runtime.compile(Slot::FanOut, &bomb).await.unwrap_err();
    assert_eq!(refusal, Refusal::CompileMemory { limit: 128 << 20 });
}

#[tokio::test]
async fn what_the_child_refuses_is_told_as_if_the_host_had_refused_it() {
    let large =
        component_of("package test:large; world large {}", "large", "(module (memory 300))");
    let mut broken = embedded(Slot::FanOut).unwrap().to_vec();
    broken.truncate(5000);
    for component in [large, broken] {
        let inside =
            runtime(1, Compiler::InProcess).compile(Slot::FanOut, &component).await.unwrap_err();
        let outside = runtime(1, Compiler::Child(child()))
            .compile(Slot::FanOut, &component)
            .await
            .unwrap_err();
        assert_eq!(inside, outside);
    }
}

#[tokio::test]
async fn a_compiler_that_can_not_be_run_is_the_hosts_fault() {
    let missing = ChildCompiler::new("/nowhere/compiler".into(), Vec::new());
    let runtime = runtime(1, Compiler::Child(missing));
    let refusal = runtime
        .compile(Slot::FanOut, embedded(Slot::FanOut).unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("this is the host's fault"), "{refusal}");
}
