//! What the page and the system can see of the browser.

use pairing_core::workflow::EngineFailureKind;
use pairing_engine::{ChromiumEngine, Deadlines, EngineConfig};

use crate::harness::{Session, Setup, browser_of, config, processes_of, script};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_sees_a_current_browser_and_no_sign_of_a_driver() {
    let setup = Setup::new().await;
    let _session = setup.unpaired("one").await;
    let page = setup.standin.state().pages.remove(0);
    let signs = &page.browser_signs;
    let version = signs["hints"]["uaFullVersion"].as_str().unwrap().to_owned();
    let major = version.split('.').next().unwrap();
    assert!(page.user_agent.contains(&format!(" Chrome/{major}.0.0.0 ")), "{}", page.user_agent);
    assert!(!page.user_agent.contains("Headless"), "{}", page.user_agent);
    let brands = signs["hints"]["fullVersionList"].as_array().unwrap();
    assert!(
        brands.iter().any(|brand| brand["brand"] == "Chromium" && brand["version"] == version),
        "{signs:#}"
    );
    assert_eq!(signs["hints"]["platform"], "Linux");
    assert_eq!(signs["webdriver"], false, "{signs:#}");
    // The request's headers tell the same as the page's script sees.
    let headers = &page.request_signs;
    assert_eq!(headers["user-agent"], page.user_agent, "{headers:#?}");
    for brand in signs["hints"]["brands"].as_array().unwrap() {
        let told = format!("{};v={}", brand["brand"], brand["version"]);
        assert!(headers["sec-ch-ua"].contains(&told), "{told} in {headers:#?}");
    }
    assert_eq!(headers["sec-ch-ua-platform"], "\"Linux\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_s_sandbox_is_on_and_it_is_not_root() {
    let setup = Setup::new().await;
    let _session = setup.unpaired("one").await;
    let profile = setup.profile("one");
    let processes = processes_of(&profile);
    for process in &processes {
        let users = process.status("Uid");
        assert!(users.split_whitespace().all(|uid| uid != "0"), "{users}: {}", process.command);
    }
    let renderers: Vec<_> =
        processes.iter().filter(|process| process.command.contains("--type=renderer")).collect();
    assert_eq!(renderers.len(), 1, "the page's and no other: {processes:#?}");
    assert_eq!(renderers[0].status("Seccomp"), "2");
    assert_eq!(renderers[0].status("NoNewPrivs"), "1");
    let browser = browser_of(&profile);
    let space = |id: u32, kind| std::fs::read_link(format!("/proc/{id}/ns/{kind}")).unwrap();
    let (own, main) = (std::process::id(), browser.id.unsigned_abs());
    for (kind, others) in [("user", main), ("pid", main), ("pid", own)] {
        let renderer = space(renderers[0].id.unsigned_abs(), kind);
        assert_ne!(renderer, space(others, kind), "the renderer has a {kind} namespace of its own");
    }
    for kind in ["pid", "mnt"] {
        assert_ne!(space(main, kind), space(own, kind), "and so has the browser ({kind})");
    }
    let command = browser.command;
    assert!(command.contains("--remote-debugging-pipe"), "{command}");
    for flag in [
        "--remote-debugging-port",
        "--no-sandbox",
        "--disable-web-security",
        "--ignore-certificate-errors",
        "--single-process",
    ] {
        assert!(!command.contains(flag), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_script_that_turns_the_sandbox_off_or_opens_a_port_is_found_out() {
    let setup = Setup::new().await;
    for flag in ["--no-sandbox", "--remote-debugging-port=0"] {
        let chromium = script(&setup, &format!("exec /usr/bin/chromium {flag} \"$@\""));
        let config = config(setup.folder(), &setup.standin.base_url(), Deadlines::default());
        let engine = ChromiumEngine::new(EngineConfig { chromium, ..config }).unwrap();
        let failure = Session::start(&engine, "one").await.unwrap().fails().await;
        assert_eq!(failure.kind, EngineFailureKind::LaunchFailed, "{failure}");
        let name = flag.split('=').next().unwrap();
        assert!(failure.message.contains(name), "{failure}");
        setup.assert_nothing_is_left_of("one");
    }
}
