//! `pairing-host admin …`: a second admin, and a lost password. It works on the
//! database itself: whoever may read the host's files may do this.

use std::{
    io::{self, IsTerminal, Read},
    sync::Arc,
};

use anyhow::{Context, bail};
use pairing_api::auth::password;
use pairing_core::{
    clock::{Clock, SystemClock},
    store::{Admin, Store},
};
use secrecy::SecretString;

use crate::{
    app,
    cli::{AdminArgs, AdminCommand},
    config::Settings,
    data_dir::DataDir,
};

pub async fn run(settings: Settings, command: AdminCommand) -> anyhow::Result<()> {
    let data_dir = DataDir::open(&settings)?;
    let store = app::open_store(&settings, &data_dir).await?;
    match command {
        AdminCommand::List => {
            for admin in store.admins().await? {
                println!("{:<32} since {}", admin.username, admin.created_at);
            }
        }
        AdminCommand::Add(args) => {
            let admin = Admin {
                id: uuid::Uuid::new_v4(),
                username: args.username.clone(),
                password_hash: hash(&args)?,
                created_at: SystemClock.now(),
            };
            if !store.add_admin(&admin).await? {
                bail!("`{}` exists already; `admin password` sets a new password", args.username);
            }
            println!("`{}` may sign in now", args.username);
        }
        AdminCommand::Password(args) => {
            let admin = find(&store, &args.username).await?;
            store.set_password(admin.id, &hash(&args)?).await?;
            println!("the new password of `{}` holds; all its sign-ins have ended", admin.username);
        }
        AdminCommand::Remove { username } => {
            let admin = find(&store, &username).await?;
            if store.admin_count().await? == 1 {
                bail!("`{username}` is the only one who may sign in; add another first");
            }
            store.remove_admin(admin.id).await?;
            println!("`{username}` may not sign in any more");
        }
    }
    Ok(())
}

async fn find(store: &Arc<dyn Store>, username: &str) -> anyhow::Result<Admin> {
    let admin = store.admin(username).await?;
    admin.with_context(|| format!("there is no `{username}`; `admin list` shows who there is"))
}

fn hash(args: &AdminArgs) -> anyhow::Result<String> {
    let password = read_password(args)?;
    password::check(&args.username, &password)?;
    Ok(password::hash(&password)?)
}

fn read_password(args: &AdminArgs) -> anyhow::Result<SecretString> {
    if args.password_stdin {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("could not read the password")?;
        return Ok(text.trim_end_matches(['\r', '\n']).into());
    }
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the password: use --password-stdin");
    }
    let first = rpassword::prompt_password("New password (15 characters or more): ")?;
    let again = rpassword::prompt_password("Once more: ")?;
    if first != again {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(first.into())
}
