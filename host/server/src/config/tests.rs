use super::*;

fn read(file: &str, variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairing-host.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Settings::from_source(Source::read(&SettingsFile::Named(path), variables))
        .map_err(|InvalidSettings(mistakes)| mistakes)
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn nothing_needs_to_be_set() {
    let settings = read("", &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.mode, Mode::Production);
    assert_eq!(settings.chromium.whatsapp_web_url.as_str(), "https://web.whatsapp.com/");
    assert!(settings.rate_limits && settings.allowed_origins.is_empty() && settings.tls.is_none());
    assert!(settings.jwt.secret.is_none() && settings.database_url.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "listen = '127.0.0.1:1'\nallowed_origins = ['https://a.example']\n[pairing]\nmax_qr_rounds = 7\nboot_deadline = '5s'\n";
    let variables = [("PAIRING_LISTEN", "127.0.0.1:2"), ("PAIRING_PAIRING_BOOT_DEADLINE", "250ms")];
    let settings = read(file, &variables).unwrap();
    assert_eq!(settings.listen.port(), 2);
    assert_eq!(settings.allowed_origins.len(), 1);
    assert_eq!(settings.pairing.max_qr_rounds, 7);
    assert_eq!(settings.pairing.boot_deadline, Duration::from_millis(250));
}

#[test]
fn what_is_kept_is_set_in_whole_days() {
    let settings = read("journal_days = 30", &[("PAIRING_HISTORY_DAYS", "1")]).unwrap();
    assert_eq!(settings.journal_kept, Some(Duration::from_secs(30 * 24 * 3600)));
    assert_eq!(settings.history_kept, Some(Duration::from_secs(24 * 3600)));
    for days in ["0", "7d", "-1"] {
        let mistakes = read("", &[("PAIRING_JOURNAL_DAYS", days)]).unwrap_err();
        assert_eq!(mistakes, ["PAIRING_JOURNAL_DAYS must be a whole number of days, from 1"]);
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let variables = [
        ("PAIRING_LISTEN", "8080"),
        ("PAIRING_MODE", "staging"),
        ("PAIRING_LISTNE", "x"),
        ("PAIRING_JWT_SECRET", "secret"),
        ("DATABASE_URL", "mysql://user:hunter2@host/db"),
    ];
    let mistakes = read("colour = 'blue'", &variables).unwrap_err();
    let all = mistakes.join("\n");
    for name in [
        "PAIRING_LISTEN ",
        "PAIRING_MODE ",
        "PAIRING_LISTNE ",
        "PAIRING_JWT_SECRET ",
        "DATABASE_URL ",
        "colour ",
    ] {
        assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name} in {all}");
    }
    assert_eq!(mistakes.len(), 6, "{all}");
    assert!(!all.contains("hunter2"));
}

#[test]
fn variables_of_the_command_line_are_not_settings() {
    assert!(read("", &[("PAIRING_URL", "http://x"), ("PAIRING_TOKEN", "y")]).is_ok());
}

#[test]
fn exposure_needs_tls_or_a_named_proxy() {
    let beyond = ("PAIRING_LISTEN", "0.0.0.0:8080");
    let url = ("PAIRING_PUBLIC_URL", "https://pairing.example.org");
    let proxy = ("PAIRING_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16");
    assert_eq!(read("", &[beyond]).unwrap_err().len(), 2);
    assert_eq!(read("", &[beyond, url]).unwrap_err().len(), 1);
    assert_eq!(read("", &[beyond, url, proxy]).unwrap().trusted_proxies.len(), 2);
    let limits = ("PAIRING_RATE_LIMITS", "off");
    assert!(!read("", &[limits]).unwrap().rate_limits);
    assert_eq!(read("", &[beyond, url, proxy, limits]).unwrap_err().len(), 1);
}

#[test]
fn weak_or_contradictory_keys_are_refused() {
    let repeated = "a".repeat(64);
    assert_eq!(read("", &[("PAIRING_JWT_SECRET", &repeated)]).unwrap_err().len(), 1);
    let both = [("PAIRING_JWT_SECRET", KEY), ("PAIRING_JWT_JWKS", "/tmp/keys.json")];
    assert_eq!(read("", &both).unwrap_err().len(), 1);
    assert!(read("", &both[..1]).is_ok());
}

#[test]
fn an_origin_is_exact() {
    for origin in ["*", "app.example.org", "https://app.example.org/page", "ftp://x"] {
        assert!(read("", &[("PAIRING_ALLOWED_ORIGINS", origin)]).is_err(), "{origin}");
    }
}

#[test]
fn flags_are_split_as_a_shell_would() {
    let args = [("PAIRING_CHROMIUM_ARGS", "--a='b c' --d")];
    assert_eq!(read("", &args).unwrap().chromium.args, ["--a=b c", "--d"]);
    assert!(read("", &[("PAIRING_CHROMIUM_ARGS", "--a='b")]).is_err());
}

#[test]
fn a_named_file_must_exist_and_be_toml() {
    let missing = SettingsFile::Named("/nonexistent/pairing-host.toml".into());
    assert!(Settings::from_source(Source::read(&missing, std::iter::empty())).is_err());
    assert!(read("listen = ", &[]).is_err());
}
