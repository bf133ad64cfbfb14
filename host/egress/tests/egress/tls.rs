//! HTTPS.

use std::sync::Arc;

use pairing_egress::{Egress, EgressConfig, EgressError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;

use crate::peers::{PUBLIC, Peer, Script, all_lead_to, answer_ok, fetch, permit, read_head};

fn acceptor(certified: &CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn only_the_certificate_of_the_granted_name_is_taken() {
    let certified = generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let accepts = acceptor(&certified);
    let script = Script::new(move |stream: DuplexStream| {
        let accepts = accepts.clone();
        async move {
            let Ok(mut stream) = accepts.accept(stream).await else { return };
            if read_head(&mut stream).await.is_some() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    let egress_with = |roots| {
        let config = EgressConfig { roots, ..EgressConfig::default() };
        Egress::with_network(config, all_lead_to(PUBLIC), script.clone()).unwrap()
    };
    let trusting = egress_with(vec![certified.cert.der().clone()]);
    let both = permit(&trusting, &["https://a.example/", "https://b.example/", "https://1.1.1.1/"]);
    assert_eq!(fetch(&trusting, &both, "https://a.example./").await.unwrap().0, 200);
    for other in ["https://b.example/", "https://1.1.1.1/"] {
        let error = fetch(&trusting, &both, other).await.unwrap_err();
        assert_eq!(error, EgressError::Certificate, "{other}");
    }
    let strict = egress_with(Vec::new());
    let granted = permit(&strict, &["https://a.example/"]);
    let error = fetch(&strict, &granted, "https://a.example/").await.unwrap_err();
    assert_eq!(error, EgressError::Certificate);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_speak_tls_is_no_peer() {
    let config = EgressConfig::default();
    let peers: [Peer; 3] = [
        |stream| Box::pin(answer_ok(stream)),
        |stream| Box::pin(async move { drop(stream) }),
        |mut stream| Box::pin(async move { stream.write_all(b"SSH-2.0-x\r\n").await.unwrap() }),
    ];
    for peer in peers {
        let script = Script::new(peer);
        let egress = Egress::with_network(config.clone(), all_lead_to(PUBLIC), script).unwrap();
        let permit = permit(&egress, &["https://a.example/"]);
        let timeouts = pairing_egress::Timeouts {
            connect: std::time::Duration::from_millis(300),
            ..crate::peers::TIMEOUTS
        };
        let request = crate::peers::get("https://a.example/");
        let error = egress.send(&permit, request, timeouts).await.unwrap_err();
        assert!(matches!(error, EgressError::Tls | EgressError::ConnectionTimeout), "{error:?}");
    }
}
