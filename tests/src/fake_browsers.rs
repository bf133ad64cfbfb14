//! Hosts whose browsers are the fake one, for tests of many sessions.

use std::{os::unix::fs::PermissionsExt, path::Path};

use crate::{TestHost, TestHostBuilder, test_host::binary};

impl TestHost {
    /// A host whose browsers behave by these flags, such as `--fake-links-after=50`.
    /// It trusts no limits of requests, and takes unsigned plugins.
    pub fn with_fake_browsers(flags: &str) -> TestHostBuilder {
        // Nothing listens there; a fake browser loads every page.
        TestHost::on("http://127.0.0.1:9/")
            .set("PAIRING_MODE", "development")
            .set("PAIRING_RATE_LIMITS", "off")
            .set("PAIRING_PAGE_HOOKS_CANARY_EVERY", "off")
            .set("PAIRING_CHROMIUM_ARGS", flags)
            .with_file("fake-browser", &binary("fake-browser"), "PAIRING_CHROMIUM")
    }
}

impl TestHostBuilder {
    /// Puts a copy of a program into the host's folder, where every user can get at
    /// it, and names it in a setting.
    #[must_use]
    fn with_file(mut self, name: &'static str, original: &Path, setting: &'static str) -> Self {
        let original = original.to_path_buf();
        self.on_folder(move |folder| {
            let copy = folder.join(name);
            std::fs::copy(&original, &copy).expect("it is built: run `make build`");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&copy, mode).expect("it is ours");
            (setting.to_owned(), copy.display().to_string())
        });
        self
    }
}
