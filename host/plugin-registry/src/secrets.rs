//! Secrets of subscriptions, sealed with a key that is not in the database. A
//! sealed secret is good for one name of one subscription only.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use pairing_core::subscription::{SealedSecret, SubscriptionId};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::errors::{OpenError, RegistryError};

/// Seals and opens.
pub(crate) struct SecretSealer(RandomizedNonceKey);

/// It was sealed by another host, for another place, or was changed.
#[derive(Debug)]
pub(crate) struct NotOurs;

impl SecretSealer {
    pub(crate) fn new(key: &SecretSlice<u8>) -> Result<Self, OpenError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret());
        key.map(Self).map_err(|_| OpenError::Key)
    }

    /// The nonce, the ciphertext and its tag.
    pub(crate) fn seal(
        &self,
        id: &SubscriptionId,
        name: &str,
        secret: &SecretString,
    ) -> Result<SealedSecret, RegistryError> {
        let mut sealed = secret.expose_secret().as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(place(id, name), &mut sealed);
        let nonce =
            nonce.map_err(|_| RegistryError::Host("a secret could not be sealed".into()))?;
        Ok(SealedSecret([&nonce.as_ref()[..], &sealed].concat()))
    }

    pub(crate) fn open(
        &self,
        id: &SubscriptionId,
        name: &str,
        sealed: &SealedSecret,
    ) -> Result<SecretString, NotOurs> {
        let (nonce, sealed) = sealed.0.split_at_checked(NONCE_LEN).ok_or(NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOurs)?;
        let mut opened = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, place(id, name), &mut opened);
        let opened = String::from_utf8(opened.map_err(|_| NotOurs)?.to_vec());
        opened.map(SecretString::from).map_err(|_| NotOurs)
    }
}

/// None of the parts can hold the character between them.
fn place(id: &SubscriptionId, name: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("subscription-secret 1\n{}\n{}\n{name}", id.handler, id.name).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> SecretSealer {
        SecretSealer::new(&vec![byte; 32].into()).unwrap()
    }

    fn id(handler: &str, name: &str) -> SubscriptionId {
        SubscriptionId { handler: handler.parse().unwrap(), name: name.parse().unwrap() }
    }

    #[test]
    fn a_secret_is_opened_by_its_host_at_its_place_and_nowhere_else() {
        let (ours, place) = (sealer(7), id("crm", "default"));
        let sealed = ours.seal(&place, "token", &"s3cr3t".into()).unwrap();
        assert!(!sealed.0.windows(6).any(|part| part == b"s3cr3t"));
        assert_eq!(ours.open(&place, "token", &sealed).unwrap().expose_secret(), "s3cr3t");
        assert!(ours.open(&place, "other", &sealed).is_err());
        assert!(ours.open(&id("crm", "second"), "token", &sealed).is_err());
        assert!(ours.open(&id("erp", "default"), "token", &sealed).is_err());
        assert!(sealer(8).open(&place, "token", &sealed).is_err());
        for at in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1;
            assert!(ours.open(&place, "token", &changed).is_err(), "byte {at}");
        }
        assert!(ours.open(&place, "token", &SealedSecret(Vec::new())).is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way() {
        let (ours, place) = (sealer(7), id("crm", "default"));
        let [one, two] = [(); 2].map(|()| ours.seal(&place, "token", &"s3cr3t".into()).unwrap());
        assert_ne!(one, two);
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(SecretSealer::new(&vec![7; 16].into()).is_err());
    }
}
