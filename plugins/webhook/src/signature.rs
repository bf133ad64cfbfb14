//! Signatures by the Standard Webhooks specification, scheme `v1`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::bindings::pairing_console::types::types::Timestamp;

/// Secrets of such names sign.
const SIGNING: &str = "signing";

/// The form of the time in the header and in what is signed.
pub(crate) fn seconds(time: Timestamp) -> String {
    (time / 1000).to_string()
}

/// What is signed.
pub(crate) fn signed(id: &str, time: Timestamp, body: &[u8]) -> Vec<u8> {
    let mut signed = format!("{id}.{}.", seconds(time)).into_bytes();
    signed.extend_from_slice(body);
    signed
}

/// The header: one signature for each signing secret. Receivers accept a request
/// if one of them is good, so that a key can be replaced with no request lost.
///
/// # Errors
/// There is no such secret, or the host did not sign; what to do about it.
pub(crate) fn sign(
    names: &[String],
    signed: &[u8],
    sign: impl Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
) -> Result<String, String> {
    let signatures = names.iter().filter(|name| name.starts_with(SIGNING)).map(|name| {
        let mac = sign(name, signed)
            .map_err(|error| format!("the secret `{name}` did not sign: {error}"))?;
        Ok(format!("v1,{}", STANDARD.encode(mac)))
    });
    let signatures = signatures.collect::<Result<Vec<String>, String>>()?;
    if signatures.is_empty() {
        return Err(format!(
            "the subscription has no secret whose name begins with `{SIGNING}`, and nobody can \
             trust a webhook that is not signed: set one, such as `{SIGNING}`, to `whsec_` and the \
             base64 of 24 to 64 random bytes"
        ));
    }
    Ok(signatures.join(" "))
}
