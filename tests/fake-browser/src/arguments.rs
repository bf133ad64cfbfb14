//! The command line: a browser's own flags, as far as they matter here, and
//! `--fake-…`, which a host passes through like any other.

use std::{path::PathBuf, time::Duration};

/// As what this process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Version,
    Renderer,
    Browser,
}

#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) role: Role,
    pub(crate) profile: PathBuf,
    /// The debugger is at file descriptors 3 and 4, not at a port.
    pub(crate) by_pipe: bool,
    pub(crate) fake: Behaviour,
}

/// How the page behaves; all of it is off by default, so that it only shows codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// `--fake-links-after=MS`: a phone scans the code, so long after it was shown.
    pub(crate) links_after: Option<Duration>,
    /// `--fake-flap-every=MS`: a linked page loses its connection and finds it again.
    pub(crate) flap_every: Option<Duration>,
    /// `--fake-burn=MS` of the processor before it answers anything.
    pub(crate) burn: Duration,
    /// `--fake-hold=MIB` of memory.
    pub(crate) hold: usize,
    /// `--fake-code-every=MS`: how long each QR code lives.
    pub(crate) code_every: Duration,
}

impl Arguments {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Self {
        let mut all = Self {
            role: Role::Browser,
            profile: PathBuf::new(),
            by_pipe: false,
            fake: Behaviour {
                links_after: None,
                flap_every: None,
                burn: Duration::ZERO,
                hold: 0,
                code_every: Duration::from_secs(20),
            },
        };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((&word, ""));
            let time = || value.parse().map(Duration::from_millis).unwrap_or_default();
            match name {
                "--product-version" => all.role = Role::Version,
                "--type" => all.role = Role::Renderer,
                "--user-data-dir" => all.profile = value.into(),
                "--remote-debugging-pipe" => all.by_pipe = true,
                "--fake-links-after" => all.fake.links_after = Some(time()),
                "--fake-flap-every" => {
                    all.fake.flap_every = Some(time()).filter(|time| !time.is_zero());
                }
                "--fake-burn" => all.fake.burn = time(),
                "--fake-hold" => all.fake.hold = value.parse().unwrap_or(0),
                "--fake-code-every" => all.fake.code_every = time(),
                _ => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Arguments {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn roles_and_behaviour_are_read_and_other_flags_passed_over() {
        let all = read(
            "--headless=new --user-data-dir=/p/one --remote-debugging-pipe --fake-links-after=200 --fake-hold=50",
        );
        assert_eq!((all.role, all.by_pipe), (Role::Browser, true));
        assert_eq!(all.profile, PathBuf::from("/p/one"));
        assert_eq!(all.fake.links_after, Some(Duration::from_millis(200)));
        assert_eq!((all.fake.hold, all.fake.flap_every), (50, None));
        assert_eq!(read("--product-version").role, Role::Version);
        assert_eq!(read("--type=renderer --user-data-dir=/p/one").role, Role::Renderer);
    }
}
