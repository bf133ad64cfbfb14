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
    const ALL: [Self; 7] = [
        Self::Read,
        Self::Write,
        Self::Init,
        Self::LoginAddress,
        Self::LoginAccount,
        Self::Refresh,
        Self::Anonymous,
    ];

    /// Load measurements must not open a way to guess passwords.
    fn always_holds(self) -> bool {
        matches!(self, Self::LoginAddress | Self::LoginAccount)
    }

    fn policy(self) -> Policy {
        let minute = Duration::from_secs(60);
        let hour = Duration::from_secs(3600);
        let (name, count, window) = match self {
            Self::Read => ("read", 3000, minute),
            Self::Write => ("write", 300, minute),
            Self::Init => ("init", 120, minute),
            Self::LoginAddress => ("login-address", 3, minute),
            Self::LoginAccount => ("login-account", 30, hour),
            Self::Refresh => ("refresh", 120, minute),
            Self::Anonymous => ("anonymous", 600, minute),
        };
        Policy { name, count, window }
    }
}

/// A limit's rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// As callers see it.
    pub(crate) name: &'static str,
    /// So many at once…
    pub(crate) count: u32,
    /// …come back in this time.
    pub(crate) window: Duration,
}

/// All limits but those of pairing codes, which are kept in the database. Where
/// they are off, those of sign-ins still hold.
pub(crate) struct Limits {
    on: bool,
    limiters: Vec<Keyed>,
}

/// What is left after a request was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    policy: Policy,
    remaining: u32,
    /// Until all is back.
    reset: Duration,
}

impl Limits {
    /// Limits that are on, or off.
    pub(crate) fn new(on: bool) -> Self {
        let limiter = |limit: Limit| {
            let Policy { count, window, .. } = limit.policy();
            let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::with_period(window / count.get())
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
            Ok(state) => {
                let policy = limit.policy();
                let remaining = state.remaining_burst_capacity();
                // What was used, at the rate in which it returns.
                let used = policy.count.saturating_sub(remaining);
                let reset = policy.window / policy.count * used;
                Ok(Some(Allowance { policy, remaining, reset }))
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Err(refusal(limit.policy(), wait))
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

/// What a caller is told who has to wait.
pub(crate) fn refusal(policy: Policy, wait: Duration) -> Problem {
    let Policy { name, count, window } = policy;
    let seconds = whole_seconds(wait).max(1);
    let detail = format!(
        "the limit `{name}` is {count} in {} s; try again in {seconds} s",
        window.as_secs()
    );
    let mut problem = Problem::new(Code::RateLimited, detail).after(wait);
    for (header, value) in headers(policy, 0, seconds) {
        problem = problem.with(header, value);
    }
    problem
}

impl Allowance {
    pub(crate) fn new(policy: Policy, remaining: u32, reset: Duration) -> Self {
        Self { policy, remaining, reset }
    }

    /// `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers
    /// has them.
    pub(crate) fn write(self, to: &mut HeaderMap) {
        to.extend(headers(self.policy, self.remaining, whole_seconds(self.reset)));
    }
}

fn headers(policy: Policy, remaining: u32, reset: u64) -> [(HeaderName, HeaderValue); 2] {
    let Policy { name, count, window } = policy;
    let mut now = String::new();
    let mut rule = String::new();
    // Writing to a string can't fail.
    let _ = write!(now, "\"{name}\";r={remaining};t={reset}");
    let _ = write!(rule, "\"{name}\";q={count};w={}", window.as_secs());
    let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    [
        (HeaderName::from_static("ratelimit"), value(now)),
        (HeaderName::from_static("ratelimit-policy"), value(rule)),
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
    fn what_is_off_still_limits_sign_ins() {
        let limits = Limits::new(false);
        assert!((0..9000).all(|_| limits.check(Limit::Read, "a").is_ok()));
        assert!(!(0..4).all(|_| limits.check(Limit::LoginAddress, "a").is_ok()));
    }

    #[test]
    fn headers_have_the_form_of_the_draft() {
        let limits = Limits::new(true);
        let mut headers = HeaderMap::new();
        limits.check(Limit::LoginAccount, "ana").unwrap().unwrap().write(&mut headers);
        assert_eq!(headers["ratelimit"], "\"login-account\";r=29;t=120");
        assert_eq!(headers["ratelimit-policy"], "\"login-account\";q=30;w=3600");
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::2:3"));
        assert_ne!(key("127.0.0.1"), key("127.0.0.2"));
    }
}
