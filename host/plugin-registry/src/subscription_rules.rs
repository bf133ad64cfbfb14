//! What a subscription may look like, and how it is told of.

use pairing_core::subscription::{Grants, SessionAction, Subscription, SubscriptionSettings};
use pairing_egress::check_grant;
use secrecy::ExposeSecret;

use crate::{errors::RegistryError, subscriptions::PutSubscription};

/// Subscriptions of one handler.
const SUBSCRIPTIONS: usize = 1_000;
const RETRIES: usize = 20;
const LONGEST_RETRY: u32 = 7 * 24 * 60 * 60;
const CONFIG_KEYS: usize = 64;
const CONFIG_BYTES: usize = 16 << 10;
const SECRETS: usize = 16;
const SECRET_BYTES: usize = 4 << 10;
const NAME: usize = 64;
const HTTP: usize = 64;
const PER_SECOND: u32 = 10_000;
const SESSIONS: usize = 1_000;
const TYPES: usize = 64;

/// Fails with all mistakes.
pub(crate) fn check(ask: &PutSubscription, known: &[Subscription]) -> Result<(), RegistryError> {
    let mut mistakes = Vec::new();
    filter(&ask.settings, &mut mistakes);
    patience(&ask.settings, &mut mistakes);
    config(&ask.settings, &mut mistakes);
    http(&ask.settings.grants, &mut mistakes);
    let before = known.iter().find(|known| known.id == ask.id);
    secrets(ask, before, &mut mistakes);
    if before.is_none() && known.len() >= SUBSCRIPTIONS {
        mistakes.push(format!(
            "handler `{}` has {SUBSCRIPTIONS} subscriptions, which is all that there may be: \
             remove one first",
            ask.id.handler
        ));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(RegistryError::Subscription(mistakes)) }
}

fn filter(settings: &SubscriptionSettings, mistakes: &mut Vec<String>) {
    if let Some(sessions) = &settings.sessions {
        if sessions.is_empty() {
            mistakes.push("`sessions` names none: leave it out for all sessions".into());
        }
        if sessions.len() > SESSIONS {
            mistakes.push(format!(
                "`sessions` names {}, at most {SESSIONS} are taken: leave it out and let the \
                 handler choose",
                sessions.len()
            ));
        }
    }
    let Some(types) = &settings.types else { return };
    if types.is_empty() {
        mistakes.push("`types` names none: leave it out for all that the handler wants".into());
    }
    if types.len() > TYPES {
        mistakes.push(format!("`types` names {}, at most {TYPES} are taken", types.len()));
    }
    let is_kind = |kind: &str| {
        (1..=NAME).contains(&kind.len())
            && kind.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    for kind in types.iter().filter(|kind| !is_kind(kind)) {
        mistakes.push(format!(
            "`types`: `{}` is no kind of event; they are written like `session-connected`",
            shown(kind)
        ));
    }
}

fn patience(settings: &SubscriptionSettings, mistakes: &mut Vec<String>) {
    let SubscriptionSettings { retry_seconds, timeout_ms, concurrency, .. } = settings;
    if retry_seconds.len() > RETRIES {
        mistakes.push(format!(
            "`retrySeconds` has {} entries, at most {RETRIES} are taken",
            retry_seconds.len()
        ));
    }
    let is_bad = |seconds: &&u32| !(1..=LONGEST_RETRY).contains(*seconds);
    for seconds in retry_seconds.iter().filter(is_bad) {
        mistakes.push(format!(
            "`retrySeconds`: {seconds} is not between 1 and {LONGEST_RETRY} (7 days)"
        ));
    }
    if !(100..=30_000).contains(timeout_ms) {
        mistakes.push(format!("`timeoutMs` is {timeout_ms}, and must be 100 to 30,000"));
    }
    if !(1..=64).contains(concurrency) {
        mistakes.push(format!("`concurrency` is {concurrency}, and must be 1 to 64"));
    }
}

fn config(settings: &SubscriptionSettings, mistakes: &mut Vec<String>) {
    let config = &settings.config;
    if config.len() > CONFIG_KEYS {
        mistakes
            .push(format!("`config` has {} keys, at most {CONFIG_KEYS} are taken", config.len()));
    }
    let bytes: usize = config.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > CONFIG_BYTES {
        mistakes.push(format!("`config` has {bytes} bytes, at most {CONFIG_BYTES} are taken"));
    }
    names("config", config.keys(), mistakes);
}

fn http(grants: &Grants, mistakes: &mut Vec<String>) {
    if grants.http.len() > HTTP {
        mistakes.push(format!(
            "`grants.http` has {} entries, at most {HTTP} are taken",
            grants.http.len()
        ));
    }
    mistakes.extend(grants.http.iter().filter_map(|grant| check_grant(grant).err()));
    if let Some(rate) = grants.http_per_second
        && !(1..=PER_SECOND).contains(&rate)
    {
        mistakes.push(format!(
            "`grants.httpPerSecond` is {rate}, and must be 1 to {PER_SECOND}; without HTTP leave \
             `grants.http` empty"
        ));
    }
}

/// The values are never told.
fn secrets(ask: &PutSubscription, before: Option<&Subscription>, mistakes: &mut Vec<String>) {
    names("secrets", ask.secrets.keys(), mistakes);
    let kept = before.iter().flat_map(|before| before.secrets.keys());
    let kept = kept.filter(|name| !ask.secrets.contains_key(*name)).count();
    let set = ask.secrets.iter().filter_map(|(name, secret)| Some((name, secret.as_ref()?)));
    let count = kept + set.clone().count();
    if count > SECRETS {
        mistakes.push(format!(
            "there would be {count} secrets, at most {SECRETS} are taken: remove some"
        ));
    }
    for (name, secret) in set {
        let size = secret.expose_secret().len();
        if size == 0 || size > SECRET_BYTES {
            mistakes.push(format!(
                "secret `{}` has {size} bytes, and must have 1 to {SECRET_BYTES}",
                shown(name)
            ));
        }
    }
}

fn names<'a>(what: &str, names: impl Iterator<Item = &'a String>, mistakes: &mut Vec<String>) {
    let is_good = |name: &str| {
        (1..=NAME).contains(&name.len())
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
    };
    for name in names.filter(|name| !is_good(name)) {
        mistakes.push(format!(
            "`{what}`: `{}` can't be a name: give 1 to {NAME} of A-Z a-z 0-9 - _ .",
            shown(name)
        ));
    }
}

fn shown(text: &str) -> String {
    text.chars().take(NAME).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// For the history: what it gets and may do, without any value.
pub(crate) fn in_words(subscription: &Subscription) -> String {
    let Subscription { id, settings, secrets, .. } = subscription;
    let mut words = vec![format!("subscription `{}` may {}", id.name, may(&settings.grants))];
    let list = |names: Vec<&str>| names.join(", ");
    let mut add = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            words.push(format!("{what} {}", list(names)));
        }
    };
    let sessions = settings.sessions.iter().flatten().map(|name| name.as_str()).take(10);
    add("sessions", sessions.collect());
    add("types", settings.types.iter().flatten().map(String::as_str).collect());
    add("config", settings.config.keys().map(String::as_str).collect());
    add("secrets", secrets.keys().map(String::as_str).collect());
    words.join("; ")
}

fn may(grants: &Grants) -> String {
    let flags = [
        (grants.log, "log"),
        (grants.config, "read its config"),
        (grants.kv, "keep values"),
        (grants.clock, "tell the time"),
        (grants.random, "get random bytes"),
        (grants.secrets, "sign"),
    ];
    let flags = flags.into_iter().filter(|(is_granted, _)| *is_granted);
    let mut all: Vec<String> = flags.map(|(_, what)| what.to_owned()).collect();
    all.extend(grants.session.iter().map(|action| {
        let what = match action {
            SessionAction::Reconnect => "reconnect",
            SessionAction::Park => "park",
            SessionAction::LogOut => "log out",
        };
        format!("{what} sessions")
    }));
    all.extend(grants.http.iter().map(|http| {
        let methods = http.methods.iter().flatten().map(String::as_str).collect::<Vec<_>>();
        let methods = if methods.is_empty() { "send".into() } else { methods.join("/") };
        format!("{methods} to {}", http.url)
    }));
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}
