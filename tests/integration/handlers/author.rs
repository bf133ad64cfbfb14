//! Somebody who writes a handler, at their command line.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use aws_lc_rs::digest::{Context, SHA256};
use pairing_tests::{TestHost, host_binary};

/// A project, and the commands in it.
pub(super) struct Author {
    parent: tempfile::TempDir,
    name: String,
    host: Option<(String, String)>,
}

/// What a command says when it fails.
fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The workspace's folder.
pub(super) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Author {
    /// Makes a project, with the tools that set-up has installed.
    pub(super) fn of(name: &str, language: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let author = Self { parent, name: name.into(), host: None };
        let made = author.run(author.parent.path(), &["new", name, "--lang", language]);
        assert!(made.status.success(), "{}", told(&made));
        install(&author.folder(), language);
        author
    }

    /// Commands go to this host from now on.
    pub(super) fn at(mut self, host: &TestHost) -> Self {
        self.host = Some((host.url(), host.token().to_owned()));
        self
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    pub(super) fn component(&self) -> PathBuf {
        self.folder().join(format!("dist/{}.wasm", self.name))
    }

    /// `pairing-host plugin …` in the project's folder.
    pub(super) fn plugin(&self, args: &[&str]) -> Output {
        self.run(&self.folder(), args)
    }

    /// The same; what it prints. It must do what it is told.
    pub(super) fn reads(&self, args: &[&str]) -> String {
        let output = self.plugin(args);
        assert!(output.status.success(), "{args:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Replaces text in one of the project's files.
    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Builds, unless the same sources were built before. What is printed is only
    /// of the first time.
    pub(super) fn build(&self) {
        let built = workspace().join("target/handlers").join(sources(&self.folder()));
        if !built.exists() {
            let output = self.plugin(&["build"]);
            assert!(output.status.success(), "{}", told(&output));
            fs::create_dir_all(built.parent().unwrap()).unwrap();
            // Another test may be at it.
            let partial = built.with_extension(std::process::id().to_string());
            fs::copy(self.component(), &partial).unwrap();
            fs::rename(partial, &built).unwrap();
        }
        fs::create_dir_all(self.component().parent().unwrap()).unwrap();
        fs::copy(built, self.component()).unwrap();
    }

    /// Sends the component in and makes it active.
    pub(super) fn activate(&self) {
        let component = self.component();
        self.reads(&["push", &self.name, component.to_str().unwrap()]);
        self.reads(&["activate", &self.name, &self.digest()]);
    }

    /// The component's.
    pub(super) fn digest(&self) -> String {
        digest(&fs::read(self.component()).unwrap())
    }

    fn run(&self, folder: &Path, args: &[&str]) -> Output {
        self.command(folder, args).output().unwrap()
    }

    /// A command, to be started.
    pub(super) fn command(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(host_binary());
        command.arg("plugin").args(args).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
        // The standard library is compiled once for all guests.
        command.env("CARGO_TARGET_DIR", workspace().join("target/guests"));
        match &self.host {
            Some((url, token)) => command.env("PAIRING_URL", url).env("PAIRING_TOKEN", token),
            None => command.env_remove("PAIRING_URL").env_remove("PAIRING_TOKEN"),
        };
        command
    }
}

/// What the project's README has one install: here it only has to be linked.
pub(super) fn install(project: &Path, language: &str) {
    let (from, to) = match language {
        "javascript" => ("tests/handlers/node_modules", "node_modules"),
        "python" => ("target/tools/componentize-py", ".venv"),
        _ => return,
    };
    let from = workspace().join(from);
    assert!(from.exists(), "{} is missing: run `make setup`", from.display());
    symlink(from, project.join(to)).unwrap();
}

/// SHA-256 in hexadecimal.
fn digest(bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names all that the component is made from.
fn sources(project: &Path) -> String {
    let mut files = Vec::new();
    let mut folders = vec![project.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            // Not through links: those are tools.
            match entry.file_type().unwrap() {
                kind if kind.is_dir()
                    && !["dist", "types"].iter().any(|made| entry.file_name() == *made) =>
                {
                    folders.push(entry.path());
                }
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    let contents: Vec<u8> = files
        .iter()
        .flat_map(|file| {
            let name = file.strip_prefix(project).unwrap().to_string_lossy().into_owned();
            [name.into_bytes(), vec![0], fs::read(file).unwrap(), vec![0]].concat()
        })
        .collect();
    digest(&contents)
}
