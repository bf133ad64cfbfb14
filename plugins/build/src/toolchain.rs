//! Finds a toolchain that can compile guests, and calls it untouched by the
//! build around us.
//!
//! Rust's target for guests is seldom installed, and we fetch nothing through
//! rustup by ourselves. Debian and Ubuntu have all that is needed to build the
//! target's standard library from source.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

/// No WASI, so a guest has nothing to reach out with.
pub const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";
const DEBIAN_STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_PACKAGES: &str = "rustc-web cargo-web rust-web-src lld-19";

/// Variables that say where crates come from and how to get there. All others of
/// cargo, rustc and rustup belong to the outer build and must not reach ours.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "RUSTUP_HOME",
];

/// A toolchain that can compile guests.
pub enum Toolchain {
    /// The one that builds the host has the target's standard library.
    Present {
        /// Its cargo.
        cargo: OsString,
        /// Its compiler.
        rustc: PathBuf,
    },
    /// Debian's, which builds that library first.
    Debian,
}

impl Toolchain {
    /// The one that builds the host, or Debian's.
    ///
    /// # Errors
    /// Neither can compile guests: what to install.
    pub fn find() -> anyhow::Result<Self> {
        let sysroot = sysroot();
        if let Ok(sysroot) = &sysroot
            && sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
        {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            return Ok(Self::Present { cargo, rustc: sysroot.join("bin/rustc") });
        }
        let parts = [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD_SOURCE];
        let missing: Vec<&str> =
            parts.into_iter().filter(|part| !Path::new(part).exists()).collect();
        if !missing.is_empty() {
            let rustup = sysroot.map_or_else(
                |error| format!("{error:#}"),
                |path| format!("{} lacks that target", path.display()),
            );
            bail!(
                "no toolchain can compile plugins to {TARGET}: {rustup}, and {} is missing; \
                 run `rustup target add {TARGET}`, or on Debian or Ubuntu `apt-get install {DEBIAN_PACKAGES}`",
                missing.join(", "),
            );
        }
        Ok(Self::Debian)
    }

    /// A cargo that is ready for its arguments.
    pub fn cargo(&self) -> Command {
        let mut command;
        match self {
            Self::Present { cargo, rustc } => {
                command = clean(cargo.as_ref());
                command.env("RUSTC", rustc);
            }
            Self::Debian => {
                command = clean(Path::new(DEBIAN_CARGO));
                command
                    .env("PATH", "/usr/bin:/bin")
                    .env("RUSTC", DEBIAN_RUSTC)
                    // Building std is unstable, and Debian's rustc is a stable one.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                    .arg("-Zbuild-std=std,panic_abort");
            }
        }
        command.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths());
        command
    }
}

/// The sysroot of the compiler that builds the host.
fn sysroot() -> anyhow::Result<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "sysroot"])
        .output()
        .with_context(|| format!("could not run {}", rustc.display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// The program without what the outer cargo has put into the environment.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_build = ["CARGO", "RUST", "LD_LIBRARY_PATH", "DYLD_", "MAKEFLAGS", "MFLAGS"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        if of_build && !KEPT.iter().any(|kept| text.starts_with(kept)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Flags that keep this machine's paths out of the modules, so that equal sources
/// make equal components.
fn remapped_paths() -> OsString {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(crate::guests::workspace());
    flags.push("=/pairing");
    if let Some(cargo_home) = cargo_home {
        // Between flags stands the unit separator.
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(cargo_home);
        flags.push("=/cargo");
    }
    flags
}
