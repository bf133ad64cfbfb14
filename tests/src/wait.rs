//! Waiting for something that another process does.

use std::time::{Duration, Instant};

/// Guards against hanging; nothing should ever take that long, but test machines
/// are shared and slow.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Asks again and again until there is an answer. Panics after [`DEADLINE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
