//! Who may send components in: the holders of listed keys, and whoever accepts one by
//! its digest.

use std::{path::Path, process::Command};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use insta::assert_snapshot;
use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::PluginAction,
};
use pairing_plugin_registry::{Push, Pushed, RegistryConfig, RegistryError, TrustedKeys};
use pairing_plugin_runtime::digest_of;
use pairing_tests::{marked, released};
use tempfile::TempDir;

use crate::plugins::harness::{TestRegistry, WHO, push, without_digests};

struct Keys {
    folder: TempDir,
    pair: Ed25519KeyPair,
}

impl Keys {
    fn new() -> Self {
        let keys = Self {
            folder: tempfile::tempdir().unwrap(),
            pair: Ed25519KeyPair::generate().unwrap(),
        };
        std::fs::write(keys.folder.path().join("release.pem"), pem(&keys.pair)).unwrap();
        keys
    }

    /// What a production host is told.
    fn rules(&self) -> RegistryConfig {
        let keys = TrustedKeys::read(&[self.folder.path().join("release.pem")]).unwrap();
        RegistryConfig { keys, ..RegistryConfig::default() }
    }

    fn sign(&self, component: &[u8]) -> Vec<u8> {
        self.pair.sign(component).as_ref().to_vec()
    }
}

/// As `openssl pkey -pubout` writes it.
fn pem(pair: &Ed25519KeyPair) -> String {
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    let text = BASE64_STANDARD.encode([head, pair.public_key().as_ref()].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn component() -> Vec<u8> {
    marked(&released("workflow"), 1)
}

async fn production(rules: RegistryConfig) -> TestRegistry {
    TestRegistry::seeded(rules, None).await
}

async fn signed(
    host: &TestRegistry,
    component: Vec<u8>,
    signature: Option<Vec<u8>>,
) -> Result<Pushed, RegistryError> {
    host.registry.push(Push { signature, ..push(Slot::Workflow, component) }).await
}

async fn accepted(
    host: &TestRegistry,
    component: Vec<u8>,
    digest: &str,
) -> Result<Pushed, RegistryError> {
    let accept_unsigned = Some(digest.to_owned());
    host.registry.push(Push { accept_unsigned, ..push(Slot::Workflow, component) }).await
}

#[tokio::test]
async fn production_refuses_what_is_not_signed_by_a_listed_key() {
    let (keys, stranger) = (Keys::new(), Keys::new());
    let host = production(keys.rules()).await;
    let (good, signature) = (component(), keys.sign(&component()));
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    let mut forged = signature.clone();
    forged[10] ^= 1;

    let unsigned = signed(&host, good.clone(), None).await.unwrap_err();
    assert_snapshot!("unsigned", without_digests(unsigned));
    let by_stranger = signed(&host, good.clone(), Some(stranger.sign(&good))).await.unwrap_err();
    assert_snapshot!("wrong_key", without_digests(&by_stranger));
    for (what, component, signature) in [
        ("a flipped byte of the component", changed, signature.clone()),
        ("a flipped byte of the signature", good.clone(), forged),
        ("a part of the signature", good.clone(), signature[..63].to_vec()),
    ] {
        let error = signed(&host, component, Some(signature)).await.unwrap_err();
        assert_eq!(without_digests(error), without_digests(&by_stranger), "{what}");
    }
    let refusals = host.changes().await.into_iter().filter(|line| line.refusal.is_some());
    assert_eq!(refusals.count(), 5, "each stands in the history");
    let versions = host.registry.versions(Slot::Workflow).await.unwrap();
    assert_eq!(versions.len(), 1, "and nothing was kept");

    let pushed = signed(&host, good.clone(), Some(signature)).await.unwrap();
    assert_eq!(pushed.version.signed_by.as_deref(), Some("release"));
    host.activate(&pushed.version.digest).await.unwrap();
}

#[tokio::test]
async fn an_acceptance_is_for_one_digest_and_stands_in_the_history() {
    let host = production(RegistryConfig::default()).await;
    let (good, other) = (component(), digest_of(b"another"));
    let error = signed(&host, good.clone(), None).await.unwrap_err();
    assert_snapshot!("unsigned_without_keys", without_digests(error));
    let error = accepted(&host, good.clone(), &other.0).await.unwrap_err();
    assert_snapshot!("another_was_accepted", without_digests(error));
    let digest = digest_of(&good);
    let pushed = accepted(&host, good, &digest.0).await.unwrap();
    assert_eq!(pushed.version.accepted_by.as_deref(), Some(WHO));
    let line = host.change(PluginAction::AcceptUnsigned).await;
    assert_eq!((line.to.as_ref(), &*line.who), (Some(&digest), WHO));
    host.activate(&digest).await.unwrap();
}

#[tokio::test]
async fn an_acceptance_counts_for_what_a_stranger_signed_and_in_development_too() {
    let (keys, stranger) = (Keys::new(), Keys::new());
    for rules in [keys.rules(), RegistryConfig { refuse_unsigned: false, ..keys.rules() }] {
        let host = production(rules).await;
        let push = |accepted: PluginDigest| Push {
            signature: Some(stranger.sign(&component())),
            accept_unsigned: Some(accepted.to_string()),
            ..push(Slot::Workflow, component())
        };
        let error = host.registry.push(push(digest_of(b"another"))).await.unwrap_err();
        assert!(error.to_string().contains("the digest that was accepted"), "{error}");
        let pushed = host.registry.push(push(digest_of(&component()))).await.unwrap();
        assert_eq!(pushed.version.accepted_by.as_deref(), Some(WHO));
        host.change(PluginAction::AcceptUnsigned).await;
    }
}

#[tokio::test]
async fn what_a_key_signed_does_not_run_anew_once_the_key_is_not_listed_any_more() {
    let keys = Keys::new();
    let mut host = production(keys.rules()).await;
    let first = host.active();
    let pushed = signed(&host, component(), Some(keys.sign(&component()))).await.unwrap();
    let digest = pushed.version.digest;
    host.activate(&digest).await.unwrap();
    host.back(None).await.unwrap();
    host.restart(RegistryConfig::default()).await;
    assert_eq!(host.active(), first);
    let error = host.activate(&digest).await.unwrap_err();
    assert_snapshot!("key_not_listed_any_more", without_digests(&error));
    let back = host.back(Some(&digest.0)).await.unwrap_err();
    assert_eq!(back.to_string(), error.to_string(), "nor by going back to it");
}

#[tokio::test]
async fn what_came_in_under_development_rules_does_not_run_in_production() {
    let rules = RegistryConfig { refuse_unsigned: false, ..RegistryConfig::default() };
    let mut host = production(rules).await;
    let digest = host.push(component()).await;
    host.restart(RegistryConfig::default()).await;
    let error = host.activate(&digest).await.unwrap_err();
    assert_snapshot!("came_in_unsigned", without_digests(error));
    accepted(&host, component(), &digest.0).await.unwrap();
    host.activate(&digest).await.unwrap();
}

#[tokio::test]
async fn the_folder_fills_a_slot_in_production_only_with_a_signature_beside_the_component() {
    let keys = Keys::new();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let dir = folder.path().join("plugins");
    let open = TestRegistry::try_over(url.clone(), folder, keys.rules(), Some(component())).await;
    let Err((error, folder)) = open else { panic!("it was not signed") };
    let shown = without_digests(&error).replace(&dir.display().to_string(), "/etc/plugins");
    assert_snapshot!("unsigned_in_the_folder", shown);

    std::fs::write(dir.join("workflow.wasm.sig"), keys.sign(&component())).unwrap();
    let open = TestRegistry::try_over(url, folder, keys.rules(), Some(component())).await;
    let Ok(host) = open else { panic!("it is signed") };
    assert_eq!(host.active(), digest_of(&component()));
    let version = host.registry.version(Slot::Workflow, &host.active().0).await.unwrap().version;
    assert_eq!(
        (version.source.as_str(), version.signed_by.as_deref()),
        ("folder", Some("release"))
    );
}

#[test]
fn a_key_that_can_not_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let private = folder.path().join("private.pem");
    std::fs::write(&private, "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let said = |path: &Path| {
        let error = TrustedKeys::read(&[path]).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "/etc/keys")
    };
    assert_snapshot!("key_missing", said(&missing));
    assert_snapshot!("key_private", said(&private));
    let certificate = folder.path().join("certificate.pem");
    std::fs::write(&certificate, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
        .unwrap();
    assert_snapshot!("key_of_another_kind", said(&certificate));
}

/// The words of the error messages, carried out.
#[tokio::test]
async fn the_commands_that_messages_recommend_make_keys_and_signatures_that_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let ended = Command::new("openssl").args(&words).current_dir(folder.path()).output();
        let Ok(ended) = ended else { return false };
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        true
    };
    if !run("genpkey -algorithm ed25519 -out key.pem") {
        eprintln!("there is no `openssl` here: nothing was tried");
        return;
    }
    run("pkey -in key.pem -pubout -out release.pem");
    std::fs::write(folder.path().join("component.wasm"), component()).unwrap();
    run("pkeyutl -sign -rawin -inkey key.pem -in component.wasm -out component.wasm.sig");
    let keys = TrustedKeys::read(&[folder.path().join("release.pem")]).unwrap();
    let host = production(RegistryConfig { keys, ..RegistryConfig::default() }).await;
    let signature = std::fs::read(folder.path().join("component.wasm.sig")).unwrap();
    let pushed = signed(&host, component(), Some(signature)).await.unwrap();
    assert_eq!(pushed.version.signed_by.as_deref(), Some("release"));
}
