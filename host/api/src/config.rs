//! What the API must be told; `pairing-host` reads and checks it.

use std::time::Duration;

use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};
use url::Url;

use crate::auth::KeySetPlace;

/// How the API behaves.
#[derive(Clone)]
pub struct ApiConfig {
    /// The port that browsers see: cookies of several hosts on one machine are
    /// kept apart by it.
    pub port: u16,
    /// The address that browsers use, where it is not the listener's.
    pub public_url: Option<Url>,
    /// The listener speaks TLS, or a trusted proxy in front does.
    pub is_https: bool,
    /// Other origins whose pages may call with a token.
    pub allowed_origins: Vec<Url>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Rate limits are on.
    pub rate_limits: bool,
    /// How many pairing codes may be asked for. These always hold.
    pub codes: CodeBudgets,
    /// The API's description can be read without a token.
    pub is_development: bool,
    /// Who else may issue tokens.
    pub issuer: Option<ExternalIssuer>,
    /// Keys that this host made for itself.
    pub keys: LocalKeys,
    /// Limits of the listener.
    pub limits: ListenerLimits,
}

/// An issuer of tokens that is not this host, such as FinBot.
#[derive(Clone)]
pub struct ExternalIssuer {
    /// What its tokens are signed with.
    pub key: IssuerKey,
    /// Enforced where given.
    pub issuer: Option<String>,
    /// Enforced where given.
    pub audience: Option<String>,
    /// The claim that names the role, `role`; its plural is looked at too.
    pub role_claim: String,
    /// The role that is let in, compared without case.
    pub admin_role: String,
}

/// The algorithm follows from the kind of key, never from a token.
#[derive(Clone)]
pub enum IssuerKey {
    /// HS256 with these bytes.
    Secret(SecretString),
    /// RS256 or ES256, as each key of the set (JWKS) that is there says.
    Set(KeySetPlace),
}

/// Keys in the data folder.
#[derive(Clone)]
pub struct LocalKeys {
    /// ES256, PKCS#8 DER: signs access tokens.
    pub signing: SecretSlice<u8>,
    /// 32 bytes: makes refresh tokens.
    pub refresh: SecretSlice<u8>,
    /// 32 bytes: hides phone numbers in the budgets of pairing codes.
    pub numbers: SecretSlice<u8>,
}

impl LocalKeys {
    /// A new signing key, as `signing` takes it.
    ///
    /// # Errors
    /// Where the machine has no randomness.
    pub fn new_signing_key() -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        use aws_lc_rs::{rand::SystemRandom, signature};
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())?;
        Ok(key.as_ref().to_vec())
    }
}

/// How many pairing codes may be asked for in an hour. WhatsApp counts too, and
/// locks a number for longer.
#[derive(Debug, Clone)]
pub struct CodeBudgets {
    /// For one number, in whatever form.
    pub per_number: u32,
    /// By one caller.
    pub per_caller: u32,
    /// For one session.
    pub per_session: u32,
    /// By all callers for all sessions.
    pub per_host: u32,
}

impl Default for CodeBudgets {
    fn default() -> Self {
        Self { per_number: 3, per_caller: 10, per_session: 10, per_host: 20 }
    }
}

/// Limits of the listener; the defaults are meant for production.
#[derive(Debug, Clone)]
pub struct ListenerLimits {
    /// Time for a request's head.
    pub header_timeout: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Connections in all, and of one address.
    pub connections: usize,
    /// Connections of one address.
    pub connections_per_address: usize,
    /// Time for requests in flight when the host stops.
    pub drain: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            body_bytes: 1024 * 1024,
            connections: 10_000,
            connections_per_address: 200,
            drain: Duration::from_secs(30),
        }
    }
}
