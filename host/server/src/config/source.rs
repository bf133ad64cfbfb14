//! Where settings come from: a file and the environment, flattened to one table
//! of texts. A library that deserialises stops at the first mistake; operators
//! want all of them, so values are taken out one by one here.

use std::{collections::BTreeMap, path::PathBuf};

use super::parse::Parsed;

/// Variables that the command line reads, not the host.
const FOR_THE_CLI: [&str; 2] = ["PAIRING_URL", "PAIRING_TOKEN"];

/// The file to read.
#[derive(Debug, Clone)]
pub enum SettingsFile {
    /// Named by the operator: it must exist.
    Named(PathBuf),
    /// `pairing-host.toml` in the working folder, if it is there.
    Default,
}

struct Value {
    texts: Vec<String>,
    /// As it is called where it stands.
    called: String,
}

/// All values that were given and not taken yet, and all mistakes so far.
pub struct Source {
    values: BTreeMap<String, Value>,
    mistakes: Vec<String>,
}

impl Source {
    pub fn read(file: &SettingsFile, environment: impl Iterator<Item = (String, String)>) -> Self {
        let mut source = Self { values: BTreeMap::new(), mistakes: Vec::new() };
        source.read_file(file);
        for (name, text) in environment {
            let is_ours = name == "DATABASE_URL" || name.starts_with("PAIRING_");
            if is_ours && !FOR_THE_CLI.contains(&name.as_str()) {
                let value = Value { texts: vec![text], called: name.clone() };
                source.values.insert(name, value);
            }
        }
        source
    }

    fn read_file(&mut self, file: &SettingsFile) {
        let path = match file {
            SettingsFile::Named(path) => path.clone(),
            SettingsFile::Default => PathBuf::from("pairing-host.toml"),
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let may_be_missing = matches!(file, SettingsFile::Default)
                    && error.kind() == std::io::ErrorKind::NotFound;
                if !may_be_missing {
                    self.mistake(format!("{} can't be read: {error}", path.display()));
                }
                return;
            }
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.flatten("", table),
            Err(error) => self.mistake(format!("{}: {error}", path.display())),
        }
    }

    fn flatten(&mut self, prefix: &str, table: toml::Table) {
        for (name, value) in table {
            let name = format!("{prefix}{name}");
            let texts = match value {
                toml::Value::Table(table) => {
                    self.flatten(&format!("{name}."), table);
                    continue;
                }
                toml::Value::Array(items) => items.into_iter().map(text_of).collect(),
                single => vec![text_of(single)],
            };
            self.values.insert(variable(&name), Value { texts, called: name });
        }
    }

    /// A setting with one value.
    pub fn get<T>(&mut self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let Value { texts, called } = self.values.remove(&variable(name))?;
        match <[String; 1]>::try_from(texts) {
            Ok([text]) => match parse(&text) {
                Ok(value) => return Some(value),
                Err(error) => self.mistake(format!("{called} {error}")),
            },
            Err(_) => self.mistake(format!("{called} must be one value, not a list")),
        }
        None
    }

    /// A setting with any number of values; as one text they are separated by
    /// commas.
    pub fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Vec<T> {
        let Some(Value { texts, called }) = self.values.remove(&variable(name)) else {
            return Vec::new();
        };
        let items = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        let mut values = Vec::new();
        for item in items.filter(|item| !item.is_empty()) {
            match parse(item) {
                Ok(value) => values.push(value),
                Err(error) => self.mistake(format!("{called}: {error}")),
            }
        }
        values
    }

    pub fn mistake(&mut self, mistake: impl Into<String>) {
        self.mistakes.push(mistake.into());
    }

    /// All mistakes; what nobody asked for is one.
    pub fn mistakes(self) -> Vec<String> {
        let unknown = self.values.into_values().map(|value| {
            format!("{} is not a setting; `pairing-host serve --help` lists them", value.called)
        });
        self.mistakes.into_iter().chain(unknown).collect()
    }
}

fn text_of(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The environment variable of a setting.
fn variable(name: &str) -> String {
    if name == "database_url" {
        return "DATABASE_URL".into();
    }
    format!("PAIRING_{}", name.replace('.', "_").to_uppercase())
}
