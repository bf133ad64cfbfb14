//! Grant `secrets`: the key stays here.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::super::state::HandlerState;
use crate::bindings::handler::pairing_console::handler::secrets::{Host, SecretError};

impl Host for HandlerState {
    async fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.bound.iter().flat_map(|bound| bound.secrets.keys().cloned()).collect())
    }

    async fn sign(
        &mut self,
        secret: String,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, SecretError>> {
        let found = self.bound.as_ref().and_then(|bound| bound.secrets.get(&secret));
        let Some(value) = found else { return Ok(Err(SecretError::Unknown(secret))) };
        Ok(mac(value.expose_secret(), &bytes))
    }
}

fn mac(secret: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
    let decoded = secret.strip_prefix("whsec_").map(|base64| BASE64_STANDARD.decode(base64));
    let key = match &decoded {
        Some(Ok(key)) => key.as_slice(),
        Some(Err(_)) => {
            return Err(SecretError::Other("what follows `whsec_` is not base64".into()));
        }
        None => secret.as_bytes(),
    };
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mac = mac.map_err(|_| SecretError::Other("it can't be used as a key".into()))?;
    Ok(mac.chain_update(bytes).finalize().into_bytes().to_vec())
}
