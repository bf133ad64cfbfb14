//! `pairing-host plugin push`: a component and its signature, from files.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_api::{COMPONENT_BYTES, HANDLER_BYTES};
use pairing_core::plugin::Slot;
use reqwest::{Method, StatusCode, header};

use super::{
    super::remote::PATIENCE,
    figures::{short, text},
    text,
};
use crate::cli::PushArgs;

/// An Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

pub async fn run(args: &PushArgs) -> anyhow::Result<()> {
    let component = component(&args.file, limit(&args.slot))?;
    let accepted = args.accept_unsigned.as_ref();
    let accepted = accepted.map(|digest| format!("?acceptUnsigned={digest}")).unwrap_or_default();
    let mut request = args
        .remote
        .request(Method::POST, &format!("/plugins/{}/versions{accepted}", args.slot))?
        .timeout(PATIENCE)
        .header(header::CONTENT_TYPE, "application/wasm");
    if let Some(signature) = signature(args)? {
        request = request.header("plugin-signature", BASE64_STANDARD.encode(signature));
    }
    let (status, version) = args.remote.send(request.body(component)).await?;
    args.remote.print(&version, |version| {
        let digest = short(text(version, "digest"));
        let came = if status == StatusCode::CREATED { "is in" } else { "was in already" };
        format!(
            "version {digest} {came}; `pairing-host plugin activate {slot} {digest}` makes it active\n\n{}",
            text::version(&args.slot, version),
            slot = args.slot,
        )
    });
    Ok(())
}

/// Bytes that the host takes.
fn limit(slot: &str) -> usize {
    let is_handler = slot.parse().is_ok_and(|slot: Slot| slot.handler().is_some());
    if is_handler { HANDLER_BYTES } else { COMPONENT_BYTES }
}

fn component(file: &Path, limit: usize) -> anyhow::Result<Vec<u8>> {
    let component = if file == Path::new("-") {
        let mut bytes = Vec::new();
        // One more than is taken tells that it is too large.
        io::stdin()
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .context("could not read the component from standard input")?;
        bytes
    } else {
        fs::read(file).with_context(|| format!("could not read {}", file.display()))?
    };
    if component.is_empty() {
        bail!("{} is empty: there is no component to send", file.display());
    }
    // A host that refuses it hangs up in the middle of sending.
    if component.len() > limit {
        bail!(
            "the component has {} bytes or more, and the host takes at most {limit} ({} MiB); build it for size and strip it",
            component.len(),
            limit >> 20
        );
    }
    Ok(component)
}

fn signature(args: &PushArgs) -> anyhow::Result<Option<Vec<u8>>> {
    let path = match &args.signature {
        Some(path) => path.clone(),
        None => {
            let beside = beside(&args.file);
            if args.file == Path::new("-") || !beside.exists() {
                return Ok(None);
            }
            beside
        }
    };
    let read = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    signature_of(&read).map(Some).with_context(|| {
        format!(
            "{} holds no Ed25519 signature: that is 64 bytes, or these in base64, and it has {} bytes",
            path.display(),
            read.len()
        )
    })
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".sig");
    name.into()
}

fn signature_of(read: &[u8]) -> Option<Vec<u8>> {
    if read.len() == SIGNATURE_BYTES {
        return Some(read.to_vec());
    }
    // `base64` and `openssl base64` write several lines.
    let read: Vec<u8> = read.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = BASE64_STANDARD.decode(read).ok()?;
    (decoded.len() == SIGNATURE_BYTES).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_as_bytes_and_as_base64() {
        let bytes = vec![200; 64];
        assert_eq!(signature_of(&bytes).unwrap(), bytes);
        let base64 = BASE64_STANDARD.encode(&bytes);
        let (line, rest) = base64.split_at(76);
        assert_eq!(signature_of(format!("{line}\n{rest}\n").as_bytes()).unwrap(), bytes);
        assert_eq!(signature_of(&bytes[1..]), None);
        assert_eq!(signature_of(b"-----BEGIN PUBLIC KEY-----"), None);
    }
}
