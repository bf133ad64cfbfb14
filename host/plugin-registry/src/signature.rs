//! Who made a component: detached Ed25519 signatures over its bytes, as
//! `openssl pkeyutl -sign -rawin` makes them.

use std::{fmt, fs, path::Path};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The SubjectPublicKeyInfo of an Ed25519 key is this and 32 bytes (RFC 8410).
const SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// The keys that may sign plugins.
#[derive(Clone, Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

#[derive(Clone)]
struct TrustedKey {
    name: String,
    key: [u8; 32],
}

/// A key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file can't be read.
    #[error("could not read {path}: {error}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is the half that nobody else may see.
    #[error(
        "{path} is a private key, which no host needs to know; `openssl pkey -in {path} -pubout \
         -out public.pem` writes the public half of it"
    )]
    Private {
        /// Which file.
        path: String,
    },
    /// It is not an Ed25519 public key.
    #[error(
        "{path} is not the public half of an Ed25519 key in PEM; `openssl genpkey -algorithm \
         ed25519 -out key.pem` and `openssl pkey -in key.pem -pubout -out public.pem` make one"
    )]
    NotAKey {
        /// Which file.
        path: String,
    },
}

impl TrustedKeys {
    /// Reads PEM files with one public key each; a key is called like its file.
    ///
    /// # Errors
    /// The first file that is not such a key.
    pub fn read(files: &[impl AsRef<Path>]) -> Result<Self, KeyError> {
        let keys = files.iter().map(|file| {
            let file = file.as_ref();
            let path = file.display().to_string();
            let text = fs::read_to_string(file)
                .map_err(|error| KeyError::Read { path: path.clone(), error })?;
            if text.contains("PRIVATE KEY-----") {
                return Err(KeyError::Private { path });
            }
            let key = from_pem(&text).ok_or(KeyError::NotAKey { path })?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok(TrustedKey { name, key })
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }

    /// The name of the key that signed these bytes.
    pub(crate) fn signer_of(&self, component: &[u8], signature: &[u8]) -> Option<&str> {
        let signed = |key: &&TrustedKey| {
            UnparsedPublicKey::new(&ED25519, key.key).verify(component, signature).is_ok()
        };
        self.0.iter().find(signed).map(|key| key.name.as_str())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.name.as_str())
    }
}

/// Names alone: that is what one wants to see.
impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

fn from_pem(text: &str) -> Option<[u8; 32]> {
    let body = text.split_once("-----BEGIN PUBLIC KEY-----")?.1;
    let body = body.split_once("-----END PUBLIC KEY-----")?.0;
    let body: String = body.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(body).ok()?;
    der.strip_prefix(SPKI)?.try_into().ok()
}
