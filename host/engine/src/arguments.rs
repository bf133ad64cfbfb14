//! The browser's command line. Whatever is configured, no flag gets through
//! that turns the sandbox or the web's own rules off, or opens another door.

use std::path::Path;

use url::Url;

/// Where the real page is.
pub const WHATSAPP_WEB_URL: &str = "https://web.whatsapp.com/";

/// Never, whatever the purpose.
const FORBIDDEN: [&str; 41] = [
    // The browser's sandbox.
    "no-sandbox",
    "no-zygote",
    "no-zygote-sandbox",
    "disable-sandbox",
    "disable-setuid-sandbox",
    "disable-namespace-sandbox",
    "disable-seccomp-filter-sandbox",
    "disable-gpu-sandbox",
    "allow-sandbox-debugging",
    "allow-third-party-modules",
    "single-process",
    "in-process-gpu",
    "utility-sub-type",
    "service-sandbox-type",
    "type",
    // Programs put in front of or in place of its processes.
    "renderer-cmd-prefix",
    "utility-cmd-prefix",
    "ppapi-plugin-launcher",
    "gpu-launcher",
    "browser-subprocess-path",
    // The web's own rules.
    "disable-web-security",
    "disable-site-isolation-trials",
    "disable-site-isolation-for-policy",
    "allow-running-insecure-content",
    "allow-insecure-localhost",
    "allow-file-access-from-files",
    "ignore-certificate-errors",
    "ignore-urlfetcher-cert-requests",
    "unsafely-treat-insecure-origin-as-secure",
    // Code of others, and records of what is secret.
    "load-extension",
    "disable-extensions-except",
    "enable-remote-extensions",
    "log-net-log",
    "ssl-key-log-file",
    // Ours to set.
    "user-data-dir",
    "user-agent",
    "headless",
    "remote-allow-origins",
    // Words of Debian's start script.
    "debug",
    "temp-profile",
    "help",
];

/// Allowed only if the page is not WhatsApp's own: they redirect it.
const ONLY_FOR_ANOTHER_PAGE: [&str; 3] =
    ["ignore-certificate-errors-spki-list", "host-resolver-rules", "host-rules"];

/// New headless mode otherwise keeps two more renderers for popups; the rest is
/// talk with services that a session has no use for.
const FEATURES_OFF: &str = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,\
    SpareRendererForSitePerProcess,Translate,OptimizationHints,OptimizationGuideModelDownloading,\
    MediaRouter,DialMediaRouteProvider,NetworkTimeServiceQuerying,\
    InterestFeedContentSuggestions,AutofillServerCommunication";

const OWN: [&str; 24] = [
    "--headless=new",
    // In place of a port, which any local user could attach to.
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-startup-window",
    "--password-store=basic",
    "--lang=en-US",
    "--mute-audio",
    "--deny-permission-prompts",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-domain-reliability",
    "--disable-blink-features=AutomationControlled",
    // A page in the background must not fall asleep.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-hang-monitor",
];

/// A configured flag that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentRefused {
    /// It would weaken the browser, or is ours to set.
    #[error("chromium argument --{0} is never allowed; remove it")]
    Forbidden(String),
    /// It redirects the page, which is not done to WhatsApp's own.
    #[error(
        "chromium argument --{0} is allowed only if the page's address is not {WHATSAPP_WEB_URL}"
    )]
    OnlyForAnotherPage(String),
    /// Not of the form `--name` or `--name=value`.
    #[error("chromium argument {0:?} is not of the form --name or --name=value")]
    NotAFlag(String),
}

/// Flags to be added to our own, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtraArguments(Vec<String>);

impl ExtraArguments {
    pub(crate) fn check(given: &[String], page: &Url) -> Result<Self, ArgumentRefused> {
        for argument in given {
            let name = flag_name(argument)?;
            if FORBIDDEN.contains(&name) || name.starts_with("remote-debugging") {
                return Err(ArgumentRefused::Forbidden(name.into()));
            }
            if ONLY_FOR_ANOTHER_PAGE.contains(&name) && !is_another_page(page) {
                return Err(ArgumentRefused::OnlyForAnotherPage(name.into()));
            }
        }
        Ok(Self(given.to_vec()))
    }
}

/// All arguments, without the program's name.
pub(crate) fn command_line(
    extra: &ExtraArguments,
    profile: &Path,
    user_agent: &str,
) -> Vec<String> {
    let mut line: Vec<String> = OWN.map(str::to_owned).to_vec();
    line.push(format!("--user-data-dir={}", profile.display()));
    line.push(format!("--user-agent={user_agent}"));
    let mut features_off = FEATURES_OFF.to_owned();
    for argument in &extra.0 {
        // Chromium heeds only the last of this one, so that both must be one.
        match argument.strip_prefix("--disable-features=") {
            Some(more) => features_off = format!("{features_off},{more}"),
            None => line.push(argument.clone()),
        }
    }
    line.push(format!("--disable-features={features_off}"));
    line
}

/// Strict, because Chromium also takes one dash for two, and cuts off spaces.
fn flag_name(argument: &str) -> Result<&str, ArgumentRefused> {
    let refused = || ArgumentRefused::NotAFlag(argument.into());
    let flag = argument.strip_prefix("--").ok_or_else(refused)?;
    let name = flag.split_once('=').map_or(flag, |(name, _)| name);
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_name && !argument.contains('\0') { Ok(name) } else { Err(refused()) }
}

fn is_another_page(page: &Url) -> bool {
    // Its subdomains too: rules for one could be meant for the other.
    !page.host_str().is_some_and(|host| host == "whatsapp.com" || host.ends_with(".whatsapp.com"))
        || page.port().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AGENT: &str = "Mozilla/5.0";

    fn build(extra: &[String], page: &str) -> Result<Vec<String>, ArgumentRefused> {
        let page = Url::parse(page).unwrap();
        let extra = ExtraArguments::check(extra, &page)?;
        Ok(command_line(&extra, Path::new("/profiles/one"), AGENT))
    }

    /// As Chromium reads a command line: one or two dashes, spaces cut off.
    fn names_as_chromium_reads_them(line: &[String]) -> Vec<String> {
        line.iter()
            .map(|argument| argument.trim())
            .filter(|argument| {
                argument.starts_with('-') && !argument.trim_start_matches('-').is_empty()
            })
            .map(|argument| argument.strip_prefix("--").unwrap_or(&argument[1..]))
            .map(|flag| flag.split('=').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn own_flags_are_there_once_and_features_are_joined() {
        let line = build(
            &["--disable-features=Mine".into(), "--proxy-server=http://p:1".into()],
            WHATSAPP_WEB_URL,
        )
        .unwrap();
        assert!(line.contains(&"--headless=new".to_owned()));
        assert!(line.contains(&"--user-data-dir=/profiles/one".to_owned()));
        assert!(line.contains(&"--proxy-server=http://p:1".to_owned()));
        let features: Vec<_> =
            line.iter().filter(|a| a.starts_with("--disable-features=")).collect();
        assert_eq!(features.len(), 1);
        assert!(features[0].ends_with(",Mine") && features[0].contains("WebUIOmniboxPopup"));
    }

    #[test]
    fn a_refused_flag_is_named() {
        let refusal = |flag: &str| build(&[flag.into()], WHATSAPP_WEB_URL).unwrap_err();
        assert_eq!(refusal("--no-sandbox"), ArgumentRefused::Forbidden("no-sandbox".into()));
        assert_eq!(
            refusal("--remote-debugging-address=0.0.0.0"),
            ArgumentRefused::Forbidden("remote-debugging-address".into())
        );
        assert_eq!(refusal("-no-sandbox"), ArgumentRefused::NotAFlag("-no-sandbox".into()));
        assert!(refusal("--no-sandbox").to_string().contains("--no-sandbox"));
    }

    #[test]
    fn redirection_is_only_for_another_page() {
        for flag in
            ["--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors-spki-list=abc"]
        {
            assert!(matches!(
                build(&[flag.into()], WHATSAPP_WEB_URL),
                Err(ArgumentRefused::OnlyForAnotherPage(_))
            ));
            assert!(build(&[flag.into()], "https://127.0.0.1:8443/").is_ok());
            assert!(build(&[flag.into()], "https://web.whatsapp.com:8443/").is_ok());
        }
    }

    fn any_argument() -> impl Strategy<Value = String> {
        let forbidden = FORBIDDEN.to_vec();
        let names = prop_oneof![
            4 => proptest::sample::select(forbidden).prop_map(str::to_owned),
            1 => proptest::sample::select(ONLY_FOR_ANOTHER_PAGE.to_vec()).prop_map(str::to_owned),
            1 => Just("remote-debugging-port".to_owned()),
            2 => "[a-z][a-z0-9-]{0,20}",
        ];
        let dashes = proptest::sample::select(vec!["--", "-", "", " --", "\t-", "---", "—"]);
        let ends = prop_oneof![Just(String::new()), "=[ -~]{0,12}", " [a-z=-]{0,8}", "\\PC{0,4}"];
        prop_oneof![
            (dashes, names, ends).prop_map(|(d, n, e)| format!("{d}{n}{e}")),
            any::<String>()
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_forbidden_flag_ever_gets_through(
            extra in proptest::collection::vec(any_argument(), 0..6),
            other in any::<bool>(),
        ) {
            let page = if other { "http://127.0.0.1:9/" } else { WHATSAPP_WEB_URL };
            let Ok(line) = build(&extra, page) else { return Ok(()) };
            for name in names_as_chromium_reads_them(&line) {
                prop_assert_ne!(&name, "remote-debugging-port");
                let own = ["headless", "user-data-dir", "user-agent", "remote-debugging-pipe"];
                if own.contains(&name.as_str()) {
                    prop_assert_eq!(names_as_chromium_reads_them(&line).iter().filter(|n| **n == name).count(), 1);
                } else {
                    prop_assert!(!FORBIDDEN.contains(&name.as_str()), "{}", name);
                    prop_assert!(!name.starts_with("remote-debugging"), "{}", name);
                    prop_assert!(other || !ONLY_FOR_ANOTHER_PAGE.contains(&name.as_str()), "{}", name);
                }
            }
        }
    }
}
