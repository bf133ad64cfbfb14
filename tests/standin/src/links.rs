//! Links between accounts and devices: how one is proven, and the file that
//! keeps them over a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::protocol::Account;

/// A linked device as the account's phone lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) browser: String,
}

/// All links. A link needs no entry here to be valid: its id carries the
/// account, signed, so that a restarted stand-in still accepts it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Links {
    pub(crate) devices: BTreeMap<String, Device>,
    pub(crate) removed: BTreeSet<String>,
    #[serde(skip)]
    file: Option<PathBuf>,
    #[serde(skip)]
    key: Vec<u8>,
}

impl Links {
    pub(crate) fn load(file: Option<&Path>, key: &str) -> anyhow::Result<Self> {
        let mut links: Self = match file {
            Some(path) if path.exists() => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("could not read {}", path.display()))?;
                serde_json::from_str(&text)
                    .with_context(|| format!("could not understand {}", path.display()))?
            }
            _ => Self::default(),
        };
        links.file = file.map(Path::to_owned);
        links.key = key.as_bytes().to_vec();
        Ok(links)
    }

    /// Names a new device of the account and gives the secret it logs in with.
    pub(crate) fn issue(&self, account: &Account, nonce: &str) -> (String, Vec<u8>) {
        let claim = STANDARD.encode(serde_json::to_vec(&(account, nonce)).unwrap_or_default());
        let device_id =
            format!("{claim}.{}", STANDARD.encode(hmac_sha256(&self.key, claim.as_bytes())));
        let secret = self.secret(&device_id);
        (device_id, secret)
    }

    fn secret(&self, device_id: &str) -> Vec<u8> {
        hmac_sha256(&self.key, format!("secret of {device_id}").as_bytes())
    }

    pub(crate) fn add(&mut self, device_id: String, device: Device) {
        self.devices.insert(device_id, device);
        self.save();
    }

    /// The account of a device that proves its link, unless it was removed.
    pub(crate) fn check(
        &mut self,
        device_id: &str,
        nonce: &str,
        proof: &str,
        browser: &str,
    ) -> Option<Account> {
        let (claim, signature) = device_id.split_once('.')?;
        let genuine = STANDARD.encode(hmac_sha256(&self.key, claim.as_bytes())) == signature
            && STANDARD.encode(hmac_sha256(&self.secret(device_id), nonce.as_bytes())) == proof;
        if !genuine || self.removed.contains(device_id) {
            return None;
        }
        let (account, _): (Account, String) =
            serde_json::from_slice(&STANDARD.decode(claim).ok()?).ok()?;
        if !self.devices.contains_key(device_id) {
            self.add(
                device_id.to_owned(),
                Device { account: account.clone(), browser: browser.to_owned() },
            );
        }
        Some(account)
    }

    /// Removes a device; false when there was none.
    pub(crate) fn remove(&mut self, device_id: &str) -> bool {
        self.removed.insert(device_id.to_owned());
        let known = self.devices.remove(device_id).is_some();
        self.save();
        known
    }

    pub(crate) fn of_account<'a>(
        &'a self,
        phone_number: &'a str,
    ) -> impl Iterator<Item = &'a String> {
        self.devices
            .iter()
            .filter(move |(_, device)| device.account.phone_number == phone_number)
            .map(|(id, _)| id)
    }

    fn save(&self) {
        let Some(file) = &self.file else { return };
        let written = serde_json::to_vec_pretty(self)
            .map_err(std::io::Error::other)
            .and_then(|json| std::fs::write(file, json));
        if let Err(error) = written {
            tracing::error!(file = %file.display(), %error, "could not keep the links");
        }
    }
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner =
        Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_gives_the_value_of_rfc_4231_case_2() {
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_link_is_accepted_after_a_restart_and_refused_after_a_removal() {
        let account =
            Account { phone_number: "15550100".into(), lid: "1".into(), name: "Ann".into() };
        let (id, secret) = Links::load(None, "key").unwrap().issue(&account, "n");
        let proof = STANDARD.encode(hmac_sha256(&secret, b"nonce"));
        let mut restarted = Links::load(None, "key").unwrap();
        assert_eq!(restarted.check(&id, "nonce", &proof, "b1"), Some(account));
        assert_eq!(restarted.check(&id, "other", &proof, "b1"), None);
        assert!(restarted.remove(&id));
        assert_eq!(restarted.check(&id, "nonce", &proof, "b1"), None);
        assert_eq!(
            Links::load(None, "another key").unwrap().check(&id, "nonce", &proof, "b1"),
            None
        );
    }
}
