//! The knowledge of the page, swapped while engines run.

use std::sync::Arc;

use async_trait::async_trait;
use pairing_core::page_hooks::{HooksRefused, HooksReport, PageDriver};

use crate::{engine::ChromiumEngine, page_hooks::PageHooks};

#[async_trait]
impl PageDriver for ChromiumEngine {
    fn embedded(&self) -> &str {
        PageHooks::EMBEDDED
    }

    fn check(&self, text: &str) -> Result<(), HooksRefused> {
        parse(text).map(drop)
    }

    async fn try_out(&self, text: Option<&str>) -> Result<HooksReport, HooksRefused> {
        let hooks = match text {
            Some(text) => parse(text)?,
            None => self.hooks.borrow().clone(),
        };
        self.look_at_page(hooks).await.map_err(HooksRefused::Untried)
    }

    fn put(&self, text: &str) -> Result<(), HooksRefused> {
        self.hooks.send_replace(parse(text)?);
        Ok(())
    }
}

fn parse(text: &str) -> Result<Arc<PageHooks>, HooksRefused> {
    let hooks = PageHooks::parse(text).map_err(|error| HooksRefused::Invalid(error.to_string()))?;
    Ok(Arc::new(hooks))
}
