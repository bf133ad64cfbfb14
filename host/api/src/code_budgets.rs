//! Budgets of pairing codes: counted in the database before the page is touched, so
//! that neither a restart nor a second caller makes WhatsApp lock a number.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pairing_core::{
    budget::{Budget, Spent},
    clock::SharedClock,
    id::SessionName,
    phone::{self, PhoneNumber},
    store::Store,
};
use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    config,
    problem::Answer,
    rate_limit::{self, Allowance, Policy},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Counts who asks for codes.
pub(crate) struct CodeBudgets {
    store: Arc<dyn Store>,
    clock: SharedClock,
    limits: config::CodeBudgets,
    key: hmac::Key,
}

impl CodeBudgets {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        limits: config::CodeBudgets,
        key: &SecretSlice<u8>,
    ) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
        Self { store, clock, limits, key }
    }

    /// Counts an attempt against all budgets, or against none if one is used up.
    pub(crate) async fn spend(
        &self,
        caller: &str,
        session: &SessionName,
        number: &PhoneNumber,
    ) -> Answer<Option<Allowance>> {
        let now = self.clock.now();
        let policy = |name, count| Policy { name, count, window: HOUR };
        let asked = [
            (policy("pair-number", self.limits.per_number), self.hidden(number)),
            (policy("pair-caller", self.limits.per_caller), caller.to_owned()),
            (policy("pair-session", self.limits.per_session), session.to_string()),
            (policy("pair-host", self.limits.per_host), "all".to_owned()),
        ];
        let budgets = asked.each_ref().map(|(policy, whose)| Budget {
            key: format!("{}:{whose}", policy.name),
            limit: policy.count,
            window: policy.window,
        });
        let policies = asked.map(|(policy, _)| policy);
        match self.store.spend(&budgets, now).await? {
            // What is told is what is nearest to its end.
            Spent::Counted(left) => {
                let left = policies.into_iter().zip(left);
                let narrowest = left.min_by_key(|(_, left)| *left);
                Ok(narrowest.map(|(policy, left)| Allowance::new(policy, left, HOUR)))
            }
            Spent::UsedUp { budget, until } => {
                let policy = policies.get(budget).copied().unwrap_or(policies[0]);
                metrics::counter!("pairing_codes_refused_total", "budget" => policy.name)
                    .increment(1);
                Err(rate_limit::refusal(policy, until.since(now)))
            }
        }
    }

    /// All forms of a number are one, and none can be read in the database.
    fn hidden(&self, number: &PhoneNumber) -> String {
        let number = phone::canonical(number.as_str());
        let tag = hmac::sign(&self.key, number.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(tag)
    }
}

#[cfg(test)]
mod tests {
    use pairing_core::fakes::FakeClock;
    use pairing_store::testing::PostgresServer;

    use super::*;
    use crate::problem::{Code, Problem};

    const NUMBER: &str = "5511999990001";

    async fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Store> {
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        pairing_store::connect(&pairing_store::Config::new(url)).await.unwrap()
    }

    fn budgets(store: Arc<dyn Store>, clock: &Arc<FakeClock>) -> CodeBudgets {
        let limits = config::CodeBudgets::default();
        CodeBudgets::new(store, clock.clone(), limits, &vec![8; 32].into())
    }

    async fn ask(budgets: &CodeBudgets, number: &str) -> Answer<Option<Allowance>> {
        let number = PhoneNumber::parse(number).unwrap().number;
        budgets.spend("ana", &"sales".parse().unwrap(), &number).await
    }

    /// The seconds to wait.
    fn refused(answer: Answer<Option<Allowance>>) -> u64 {
        let problem: Problem = answer.expect_err("it is refused");
        assert_eq!(problem.code(), Code::RateLimited);
        problem.body().retry_after.unwrap()
    }

    #[tokio::test]
    async fn what_was_spent_is_spent_after_a_restart_and_whatever_the_clock_is_set_to() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(FakeClock::default()));
        let hour = Duration::from_secs(3600);
        {
            let budgets = budgets(sqlite(&folder).await, &clock);
            for _ in 0..3 {
                ask(&budgets, NUMBER).await.unwrap();
                clock.advance(Duration::from_secs(1));
            }
            assert_eq!(refused(ask(&budgets, NUMBER).await), 3597);
        }
        let budgets = budgets(sqlite(&folder).await, &clock);
        assert_eq!(refused(ask(&budgets, NUMBER).await), 3597);
        // Set back by half an hour.
        clock.set_back(hour / 2);
        assert_eq!(refused(ask(&budgets, NUMBER).await), 3597 + 1800);
        // Set ahead by a day, where it is all over, and back again.
        clock.advance(24 * hour);
        ask(&budgets, NUMBER).await.unwrap();
        clock.set_back(24 * hour - hour / 2);
        assert_eq!(refused(ask(&budgets, NUMBER).await), 3597);
        clock.advance(Duration::from_secs(3597));
        ask(&budgets, NUMBER).await.unwrap();
    }

    #[tokio::test]
    async fn a_numbers_forms_are_one_and_none_stands_in_the_database() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(FakeClock::default()));
        let budgets = budgets(sqlite(&folder).await, &clock);
        // Brazil with and without the 9; then Mexico, then Argentina.
        for forms in [
            [NUMBER, "551199990001", "+55 (11) 99999-0001"],
            ["5215512345678", "525512345678", "5215512345678"],
            ["5491123456789", "541123456789", "5491123456789"],
        ] {
            for form in forms {
                ask(&budgets, form).await.unwrap();
            }
            for form in forms {
                refused(ask(&budgets, form).await);
            }
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            assert!(!holds(b"99990001") && !holds(b"12345678"));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_the_database_no_code_is_asked_for() {
        let server = PostgresServer::start().await;
        let config = pairing_store::Config::new(server.database().await);
        let store = pairing_store::connect(&config).await.unwrap();
        let clock = Arc::new(FakeClock::default());
        let budgets = budgets(store, &clock);
        server.crash();
        let problem = ask(&budgets, NUMBER).await.expect_err("nothing was counted");
        assert_eq!(problem.code(), Code::StoreUnavailable);
    }
}
