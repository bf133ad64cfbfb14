//! One step of the store in a process of its own, so that it can be ended in the
//! middle: `store-step URL STEP prepare|do|look`. It ends with 0, with 3 if the
//! store failed, and from `look` with 10 if the step's effect is not there.

mod steps;

use std::{process::ExitCode, sync::Arc};

use pairing_core::store::Store;

const FAILED: u8 = 3;
const NOT_THERE: u8 = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, step, what] = words.as_slice() else {
        eprintln!("store-step URL STEP prepare|do|look");
        return ExitCode::from(64);
    };
    // Opening a database writes, too; what is to fail is the step alone.
    let store = pairing_store::connect(&pairing_store::Config::new(url.clone())).await;
    let store: Arc<dyn Store> = match store {
        Ok(store) => store,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let result = match what.as_str() {
        "prepare" => steps::prepare(&store, step).await.map(|()| true),
        "do" => {
            pairing_failpoints::set_up();
            steps::take(&store, step).await.map(|()| true)
        }
        _ => steps::look(&store, step).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_THERE),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(FAILED)
        }
    }
}
