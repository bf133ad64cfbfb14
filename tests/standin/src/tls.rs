//! A self-signed certificate for the names that a browser may use here, and
//! the hash by which Chromium can be told to trust it.

use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::PublicKeyData as _;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

pub(crate) struct SelfSigned {
    pub(crate) server_config: Arc<rustls::ServerConfig>,
    /// SHA-256 of the public key, base64: the value that Chromium's
    /// `ignore-certificate-errors-spki-list` takes.
    pub(crate) spki_sha256: String,
}

pub(crate) fn self_signed() -> anyhow::Result<SelfSigned> {
    let names = ["web.whatsapp.com", "localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).context("could not make a certificate")?;
    let spki_sha256 = STANDARD.encode(Sha256::digest(made.signing_key.subject_public_key_info()));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server_config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("could not choose TLS versions")?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .context("could not use the certificate")?;
    // WebSocket upgrades here speak HTTP/1.1 alone.
    server_config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(SelfSigned { server_config: Arc::new(server_config), spki_sha256 })
}
