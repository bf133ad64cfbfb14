//! `pairing-host token`: an access token for scripts. Whoever may read the host's
//! key may make one.

use anyhow::bail;
use pairing_api::auth::TokenKeys;
use pairing_core::clock::{Clock, SystemClock};

use crate::{app, cli::TokenArgs, config::Settings, data_dir::DataDir};

const LONGEST: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

pub fn run(settings: &Settings, args: &TokenArgs) -> anyhow::Result<()> {
    if args.lifetime > LONGEST || args.lifetime < jiff::SignedDuration::from_secs(1) {
        bail!("--lifetime must be between 1s and 24h");
    }
    let lifetime = args.lifetime.unsigned_abs();
    let keys = TokenKeys::new(&app::local_keys(&DataDir::open(settings)?)?, None)?;
    println!("{}", keys.issue(&args.subject, None, None, SystemClock.now(), lifetime)?);
    Ok(())
}
