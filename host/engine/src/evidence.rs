//! What is seen of a page when it is repaired or its engine fails. Nothing of it
//! is secret, and of a page that is not linked there is never a picture.

use base64::{Engine, engine::general_purpose::STANDARD};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, GetLayoutMetricsParams, Viewport,
};
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use pairing_core::evidence::{Evidence, RepairStep};
use tokio::time::timeout;

use crate::{
    config::Deadlines, console_tail::ConsoleTail, failure::cleared, page_hooks::PageHooks,
    page_link::PageLink, stderr_tail::StderrTail, story::Story,
};

/// So much smaller is the picture: letters and faces are a pixel or two.
const SCALE: f64 = 1.0 / 16.0;

/// The picture's largest sides, in pixels.
const LARGEST: (f64, f64) = (96.0, 60.0);

/// Who was there.
pub(crate) struct Witnesses<'a> {
    pub(crate) stderr: &'a StderrTail,
    pub(crate) page: Option<PageSeen<'a>>,
}

/// A page that may be asked.
pub(crate) struct PageSeen<'a> {
    pub(crate) link: &'a PageLink,
    pub(crate) console: &'a ConsoleTail,
    pub(crate) story: &'a Story,
    pub(crate) hooks: &'a PageHooks,
    pub(crate) deadlines: &'a Deadlines,
}

impl Witnesses<'_> {
    /// Takes two times [`Deadlines::look`] at most.
    pub(crate) async fn evidence(
        &self,
        repair: RepairStep,
        step: &str,
        message: &str,
    ) -> Box<Evidence> {
        let mut console: Vec<String> =
            self.stderr.lines().into_iter().map(|line| format!("browser: {line}")).collect();
        let mut page_state = String::new();
        let mut screenshot = None;
        if let Some(page) = &self.page {
            console.extend(page.console.lines());
            page_state = cleared(page.story.page_state());
            if page.story.has_link() {
                screenshot = page.picture().await;
            }
        }
        let (step, message) = (cleared(step), cleared(message));
        Box::new(Evidence { repair, page_state, step, message, console, screenshot })
    }
}

impl PageSeen<'_> {
    /// A coarse picture, if the page is linked before and after it is taken: in
    /// between it may have begun to show a QR code.
    async fn picture(&self) -> Option<Vec<u8>> {
        let look = self.deadlines.look;
        if !timeout(look, self.is_linked()).await.unwrap_or(false) {
            return None;
        }
        let taken = async {
            let picture = self.coarse_picture().await?;
            self.is_linked().await.then_some(picture)
        };
        timeout(look, taken).await.ok().flatten()
    }

    /// Asks the page itself, since its agent may be what fails.
    async fn is_linked(&self) -> bool {
        let question = EvaluateParams::new(self.hooks.is_connected_expression());
        let answer = self.link.page.execute(question).await;
        answer.is_ok_and(|answer| {
            answer.result.result.value.as_ref().and_then(serde_json::Value::as_bool) == Some(true)
        })
    }

    async fn coarse_picture(&self) -> Option<Vec<u8>> {
        let sizes = self.link.page.execute(GetLayoutMetricsParams::default()).await.ok()?;
        let seen = &sizes.css_layout_viewport;
        #[expect(clippy::cast_precision_loss, reason = "a screen's size")]
        let (width, height) = (seen.client_width as f64, seen.client_height as f64);
        if width < 1.0 || height < 1.0 {
            return None;
        }
        let scale = SCALE.min(LARGEST.0 / width).min(LARGEST.1 / height);
        let take = CaptureScreenshotParams::builder()
            .format(CaptureScreenshotFormat::Png)
            .clip(Viewport { x: 0.0, y: 0.0, width, height, scale })
            .build();
        let taken = self.link.page.execute(take).await.ok()?;
        let picture: &str = taken.data.as_ref();
        STANDARD.decode(picture).ok()
    }
}
