//! Limits by name. Each says how many of what one caller may do; a refusal says
//! when to come back, and every answer how much is left.

use std::{fmt::Write, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::problem::{Code, Problem, whole_seconds};

type Keyed =
    RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// What is limited. The numbers leave room for a console with ten sessions and a
/// FinBot that polls each of them every second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Reading, a caller.
    Read,
    /// Changing, a caller.
    Write,
    /// `init`, a caller.
    Init,
    /// Pairing codes, a caller.
    PairCaller,
    /// Pairing codes, a session.
    PairSession,
    /// Pairing codes, a phone number.
    PairNumber,
    /// Sign-ins, an address.
    LoginAddress,
    /// Sign-ins, an account.
    LoginAccount,
    /// Renewals of tokens, an address.
    Refresh,
    /// Requests without a token, an address.
    Anonymous,
}

impl Limit {
    const ALL: [Self; 10] = [
        Self::Read,
        Self::Write,
        Self::Init,
        Self::PairCaller,
        Self::PairSession,
        Self::PairNumber,
        Self::LoginAddress,
        Self::LoginAccount,
        Self::Refresh,
        Self::Anonymous,
    ];

    /// Load measurements must not open a way to guess passwords, or to have
    /// WhatsApp lock a number.
    fn always_holds(self) -> bool {
        matches!(
            self,
            Self::PairCaller
                | Self::PairSession
                | Self::PairNumber
                | Self::LoginAddress
                | Self::LoginAccount
        )
    }

    /// Name, how many at once, and in which time that many come back.
    fn policy(self) -> (&'static str, u32, Duration) {
        let minute = Duration::from_secs(60);
        let hour = Duration::from_secs(3600);
        match self {
            Self::Read => ("read", 3000, minute),
            Self::Write => ("write", 300, minute),
            Self::Init => ("init", 120, minute),
            Self::PairCaller => ("pair-caller", 60, hour),
            Self::PairSession => ("pair-session", 20, hour),
            Self::PairNumber => ("pair-number", 10, hour),
            Self::LoginAddress => ("login-address", 3, minute),
            Self::LoginAccount => ("login-account", 30, hour),
            Self::Refresh => ("refresh", 120, minute),
            Self::Anonymous => ("anonymous", 600, minute),
        }
    }
}

/// All limits. Where they are off, those of sign-ins and pairing codes still hold.
pub(crate) struct Limits {
    on: bool,
    limiters: Vec<Keyed>,
}

/// What is left after a request was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    limit: Limit,
    remaining: u32,
}

impl Limits {
    /// Limits that are on, or off.
    pub(crate) fn new(on: bool) -> Self {
        let limiter = |limit: Limit| {
            let (_, count, time) = limit.policy();
            let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::with_period(time / count.get())
                .unwrap_or(Quota::per_minute(count))
                .allow_burst(count);
            RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>()
        };
        Self { on, limiters: Limit::ALL.into_iter().map(limiter).collect() }
    }

    /// Counts one for this key.
    pub(crate) fn check(
        &self,
        limit: Limit,
        key: impl Into<String>,
    ) -> Result<Option<Allowance>, Problem> {
        if !self.on && !limit.always_holds() {
            return Ok(None);
        }
        let index = Limit::ALL.iter().position(|one| *one == limit);
        let limiter = index.and_then(|index| self.limiters.get(index));
        let Some(limiter) = limiter else { return Ok(None) };
        match limiter.check_key(&key.into()) {
            Ok(state) => Ok(Some(Allowance { limit, remaining: state.remaining_burst_capacity() })),
            Err(refusal) => {
                let wait = refusal.wait_time_from(DefaultClock::default().now());
                let (name, count, time) = limit.policy();
                let seconds = whole_seconds(wait).max(1);
                let detail = format!(
                    "the limit `{name}` is {count} in {} s; try again in {seconds} s",
                    time.as_secs()
                );
                let mut problem = Problem::new(Code::RateLimited, detail).after(wait);
                for (header, value) in headers(limit, 0, seconds) {
                    problem = problem.with(header, value);
                }
                Err(problem)
            }
        }
    }

    /// Forgets keys that are as good as new.
    pub(crate) fn shrink(&self) {
        for limiter in &self.limiters {
            limiter.retain_recent();
        }
    }
}

impl Allowance {
    /// `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers
    /// has them.
    pub(crate) fn write(self, to: &mut HeaderMap) {
        let (_, count, time) = self.limit.policy();
        // Until all is back: what was used, at the rate in which it returns.
        let used = count.saturating_sub(self.remaining);
        let reset = whole_seconds(time / count * used);
        to.extend(headers(self.limit, self.remaining, reset));
    }
}

fn headers(limit: Limit, remaining: u32, reset: u64) -> [(HeaderName, HeaderValue); 2] {
    let (name, count, time) = limit.policy();
    let mut now = String::new();
    let mut policy = String::new();
    // Writing to a string can't fail.
    let _ = write!(now, "\"{name}\";r={remaining};t={reset}");
    let _ = write!(policy, "\"{name}\";q={count};w={}", time.as_secs());
    let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    [
        (HeaderName::from_static("ratelimit"), value(now)),
        (HeaderName::from_static("ratelimit-policy"), value(policy)),
    ]
}

/// The address that counts for limits: of IPv6 the network of 64 bits, since one
/// customer has all of it.
pub(crate) fn address_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Shared by all handlers.
pub(crate) type SharedLimits = Arc<Limits>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_and_a_refusal_says_when_to_come_back() {
        let limits = Limits::new(true);
        for left in (0..3).rev() {
            let allowance = limits.check(Limit::LoginAddress, "a").unwrap().unwrap();
            assert_eq!(allowance.remaining, left);
        }
        let problem = limits.check(Limit::LoginAddress, "a").unwrap_err();
        assert_eq!(problem.code(), Code::RateLimited);
        assert!((1..=20).contains(&problem.body().retry_after.unwrap()));
        assert!(limits.check(Limit::LoginAddress, "b").is_ok(), "keys are apart");
    }

    #[test]
    fn what_is_off_still_limits_sign_ins_and_codes() {
        let limits = Limits::new(false);
        assert!((0..9000).all(|_| limits.check(Limit::Read, "a").is_ok()));
        assert!(!(0..4).all(|_| limits.check(Limit::LoginAddress, "a").is_ok()));
        assert!(!(0..11).all(|_| limits.check(Limit::PairNumber, "a").is_ok()));
    }

    #[test]
    fn headers_have_the_form_of_the_draft() {
        let limits = Limits::new(true);
        let mut headers = HeaderMap::new();
        limits.check(Limit::PairNumber, "55").unwrap().unwrap().write(&mut headers);
        assert_eq!(headers["ratelimit"], "\"pair-number\";r=9;t=360");
        assert_eq!(headers["ratelimit-policy"], "\"pair-number\";q=10;w=3600");
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::2:3"));
        assert_ne!(key("127.0.0.1"), key("127.0.0.2"));
    }
}
