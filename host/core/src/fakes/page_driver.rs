//! A page whose parts are found or not as the test says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{
    page_hooks::{HooksRefused, HooksReport, PageDriver},
    workflow::EngineFailure,
};

/// Takes any text that does not hold the word `invalid`. Each clone is the same.
#[derive(Debug, Clone, Default)]
pub struct FakePageDriver(Arc<Mutex<Page>>);

#[derive(Debug, Default)]
struct Page {
    answers: VecDeque<Result<HooksReport, EngineFailure>>,
    in_use: Option<String>,
    tried: Vec<Option<String>>,
}

impl FakePageDriver {
    /// The file that came with the host.
    pub const EMBEDDED: &str = "# the host's own\n";

    /// The next trial answers so. Without an answer all parts are found.
    pub fn answer(&self, answer: Result<HooksReport, EngineFailure>) {
        self.page(|page| page.answers.push_back(answer));
    }

    /// The next trial misses these parts.
    pub fn miss(&self, parts: &[&str]) {
        let missing = parts.iter().map(|part| ((*part).to_owned(), "no such module".to_owned()));
        self.answer(Ok(HooksReport { missing: missing.collect(), ..Self::good() }));
    }

    /// A page with all its parts.
    pub fn good() -> HooksReport {
        HooksReport {
            page_version: Some("2.3000.1".to_owned()),
            found: [("command".to_owned(), "WAWebCmd#Cmd".to_owned())].into(),
            missing: [].into(),
            makes_codes: true,
        }
    }

    /// The file that was put last; none: the embedded one is in use.
    pub fn in_use(&self) -> Option<String> {
        self.page(|page| page.in_use.clone())
    }

    /// What was tried, in order; none: the file in use.
    pub fn tried(&self) -> Vec<Option<String>> {
        self.page(|page| page.tried.clone())
    }

    fn page<T>(&self, change: impl FnOnce(&mut Page) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl PageDriver for FakePageDriver {
    fn embedded(&self) -> &str {
        Self::EMBEDDED
    }

    fn check(&self, text: &str) -> Result<(), HooksRefused> {
        match text.find("invalid") {
            Some(place) => Err(HooksRefused::Invalid(format!("byte {place} is invalid"))),
            None => Ok(()),
        }
    }

    async fn try_out(&self, text: Option<&str>) -> Result<HooksReport, HooksRefused> {
        if let Some(text) = text {
            self.check(text)?;
        }
        let answer = self.page(|page| {
            page.tried.push(text.map(str::to_owned));
            page.answers.pop_front()
        });
        answer.unwrap_or_else(|| Ok(Self::good())).map_err(HooksRefused::Untried)
    }

    fn put(&self, text: &str) -> Result<(), HooksRefused> {
        self.check(text)?;
        self.page(|page| page.in_use = Some(text.to_owned()));
        Ok(())
    }
}
