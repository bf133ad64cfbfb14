//! `pairing-host doctor`: is this machine fit for these settings? Each check is a
//! line that says what was found and, where it fails, how to repair it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use anyhow::bail;
use nix::unistd::{User, geteuid};
use pairing_plugin_runtime::{Plugins, PluginsConfig};
use pairing_sentinel::{Isolation, MemoryLimits};

use crate::{
    app,
    config::{Settings, SettingsFile},
    data_dir::DataDir,
};

/// What a check found, or what is wrong and how to repair it.
type Finding = Result<String, String>;

pub async fn run(file: &SettingsFile) -> anyhow::Result<()> {
    let mut checkup = Checkup { failures: 0 };
    let settings = match Settings::read(file) {
        Ok(settings) => {
            checkup.note("settings", Ok("all can be used".into()));
            settings
        }
        Err(error) => {
            checkup.note("settings", Err(error.to_string()));
            bail!("mend the settings first; the other checks depend on them");
        }
    };
    checkup.note("chromium", chromium(&settings));
    checkup.note("browser user", browser_user(&settings));
    checkup.note("browser sandbox", user_namespaces());
    checkup.note("browser isolation", isolation().await);
    checkup.note("browser memory", memory(&settings));
    checkup.note("browser debugging", debugging(Path::new("/etc/chromium.d")));
    checkup.note("certificate", certificate(&settings));
    checkup.note("token issuer", issuer(&settings));
    checkup.note("plugins", plugins(&settings).await);
    match DataDir::open(&settings) {
        Ok(data_dir) => {
            checkup.note("data folder", Ok(settings.data_dir.display().to_string()));
            checkup.note("keys", private_keys(&settings.data_dir.join("keys")));
            checkup.note("profiles", profiles(&settings, &data_dir));
            checkup.note("browser flags", browser_flags(&settings, &data_dir));
            let store = app::open_store(&settings, &data_dir).await;
            checkup.note(
                "database",
                store
                    .map(|_| "can be read and written".into())
                    .map_err(|error| format!("{error:#}")),
            );
        }
        Err(error) => checkup.note("data folder", Err(error.to_string())),
    }
    checkup.note("free space", free_space(&settings.data_dir));
    match checkup.failures {
        0 => Ok(()),
        failures => bail!("{failures} of these checks failed"),
    }
}

struct Checkup {
    failures: usize,
}

impl Checkup {
    fn note(&mut self, name: &str, finding: Finding) {
        match finding {
            Ok(found) => println!("ok    {name}: {found}"),
            Err(wrong) => {
                self.failures += 1;
                println!("FAIL  {name}: {wrong}");
            }
        }
    }
}

fn chromium(settings: &Settings) -> Finding {
    let path = &settings.chromium.path;
    let version = Command::new(path).arg("--version").output();
    match version {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(format!("{} --version ended with {}", path.display(), output.status)),
        Err(error) => Err(format!(
            "{} can't be started ({error}); install the package `chromium`, or set PAIRING_CHROMIUM",
            path.display()
        )),
    }
}

fn browser_user(settings: &Settings) -> Finding {
    let name = &settings.chromium.user;
    if !geteuid().is_root() {
        return Ok("the host's own, which is not root".into());
    }
    match User::from_name(name) {
        Ok(Some(user)) if user.uid.is_root() => Err(format!(
            "`{name}` is root, and a browser's sandbox needs another: set PAIRING_CHROMIUM_USER"
        )),
        Ok(Some(user)) => Ok(format!("{name} (uid {})", user.uid)),
        _ => Err(format!("there is no user `{name}`: add it, or set PAIRING_CHROMIUM_USER")),
    }
}

/// Chromium's sandbox needs user namespaces for unprivileged users.
fn user_namespaces() -> Finding {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let refused = |name: &str, value: &str| {
        Err(format!(
            "the kernel refuses user namespaces: sysctl -w {name}={value}, and keep it in /etc/sysctl.d"
        ))
    };
    if number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return refused("kernel.unprivileged_userns_clone", "1");
    }
    if number("/proc/sys/user/max_user_namespaces") == Some(0) {
        return refused("user.max_user_namespaces", "15000");
    }
    if number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Ok("user namespaces only by AppArmor profile; Chromium's package brings one".into());
    }
    Ok("user namespaces are allowed".into())
}

/// Either will do; the operator should know which.
async fn isolation() -> Finding {
    let isolation = Isolation::probe(&app::sentinel()).await;
    let isolation = isolation.map_err(|error| format!("it can't be tried out: {error}"))?;
    Ok(format!("each browser has {isolation}"))
}

fn memory(settings: &Settings) -> Finding {
    let limit = bytesize::ByteSize(settings.chromium.session_memory);
    Ok(match MemoryLimits::find() {
        Ok(limits) => format!("{limit} for each browser, {limits}"),
        Err(why) => format!("not limited ({why})"),
    })
}

/// What the start script of Debian's Chromium adds would open a door beside ours.
fn debugging(folder: &Path) -> Finding {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let is_said = |line: &str| !line.starts_with('#') && line.contains("--remote-debugging-");
        if text.lines().any(|line| is_said(line.trim())) {
            return Err(format!(
                "{} lets any local user attach to browsers: remove --remote-debugging-… from it",
                entry.path().display()
            ));
        }
    }
    Ok("by a pipe and a secret of 128 bits; no other local user can attach".into())
}

fn private_keys(folder: &Path) -> Finding {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok("none yet; they are made at the first start".into());
    };
    for entry in entries.flatten() {
        let mode = entry.metadata().map_err(|error| error.to_string())?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(format!("others can read {}: chmod 600 it", entry.path().display()));
        }
    }
    Ok("only this user can read them".into())
}

fn profiles(settings: &Settings, data_dir: &DataDir) -> Finding {
    let path = data_dir.profiles(settings).map_err(|error| error.to_string())?;
    Ok(path.display().to_string())
}

fn browser_flags(settings: &Settings, data_dir: &DataDir) -> Finding {
    let profiles = data_dir.profiles(settings).map_err(|error| error.to_string())?;
    match app::engine(settings, profiles) {
        Ok(_) => Ok(format!(
            "{} of your own, none that weakens the browser",
            settings.chromium.args.len()
        )),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn certificate(settings: &Settings) -> Finding {
    match app::tls(settings) {
        Ok(Some(_)) => Ok("can be used".into()),
        Ok(None) => Ok("none; the listener speaks plain HTTP".into()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn issuer(settings: &Settings) -> Finding {
    match app::issuer(&settings.jwt) {
        Ok(Some(_)) => Ok("its key can be used".into()),
        Ok(None) => Ok("none but the host itself".into()),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// The host's own ones run on this machine, and the keys can be used. Which ones
/// are active stands in the database, which is the running host's.
async fn plugins(settings: &Settings) -> Finding {
    let config = app::registry_config(settings).map_err(|error| format!("{error:#}"))?;
    let names = config.keys.names().collect::<Vec<_>>().join("`, `");
    let signers = match (names.is_empty(), config.refuse_unsigned) {
        (false, _) => format!("others may be signed by `{names}`"),
        (true, true) => "no key is listed that may sign others".into(),
        (true, false) => "others need no signature in development mode".into(),
    };
    match Plugins::load(PluginsConfig::default()).await {
        Ok(plugins) => {
            let own = plugins.infos().len();
            Ok(format!("the {own} that the host brings along run; {signers}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn free_space(folder: &Path) -> Finding {
    let (free, _) = crate::free_space::free(folder).map_err(|error| error.to_string())?;
    let mib = free >> 20;
    let found = format!("{mib} MiB in {}", folder.display());
    if mib < 1024 {
        Err(format!("{found}; a session needs some 200 MiB, keep 1 GiB free"))
    } else {
        Ok(found)
    }
}
