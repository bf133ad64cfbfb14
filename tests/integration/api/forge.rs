//! Tokens made by hand, so that they can be wrong in every way.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, JwkSet},
};
use pairing_api::{IssuerKey, KeySetPlace, LocalKeys};
use pairing_tests::ISSUER_KEY;

/// What a token is signed with, beside its name in a key set.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: EncodingKey,
}

impl Key {
    /// The key that test hosts and FinBot share.
    pub(crate) fn finbot() -> Self {
        Self::secret(ISSUER_KEY.as_bytes())
    }

    pub(crate) fn secret(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, encoding: EncodingKey::from_secret(bytes) }
    }

    pub(crate) fn p256() -> Self {
        Self::p256_of(&LocalKeys::new_signing_key().unwrap())
    }

    pub(crate) fn p256_of(pkcs8: &[u8]) -> Self {
        Self { algorithm: Algorithm::ES256, encoding: EncodingKey::from_ec_der(pkcs8) }
    }

    pub(crate) fn rsa() -> Self {
        use aws_lc_rs::{encoding::AsDer, rsa};
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let body = base64::prelude::BASE64_STANDARD.encode(pkcs8.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let encoding = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        Self { algorithm: Algorithm::RS256, encoding }
    }

    /// The public half, under this name.
    pub(crate) fn public(&self, kid: &str) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.encoding, self.algorithm).unwrap();
        jwk.common.key_id = Some(kid.into());
        jwk
    }

    /// Signs this header and these claims as they stand.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

pub(crate) fn encode(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A file with these keys, and the setting that names it.
pub(crate) fn key_set(keys: Vec<Jwk>) -> (tempfile::NamedTempFile, IssuerKey) {
    let file = tempfile::NamedTempFile::new().unwrap();
    write_keys(&file, keys);
    let place = KeySetPlace::parse(file.path().to_str().unwrap()).unwrap();
    (file, IssuerKey::Set(place))
}

pub(crate) fn write_keys(file: &tempfile::NamedTempFile, keys: Vec<Jwk>) {
    std::fs::write(file.path(), serde_json::to_string(&JwkSet { keys }).unwrap()).unwrap();
}
