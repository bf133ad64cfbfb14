//! `pairing-host migrate`

use crate::{app, config::Settings, data_dir::DataDir};

pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let data_dir = DataDir::open(&settings)?;
    app::open_store(&settings, &data_dir).await?;
    println!("the database is up to date");
    Ok(())
}
