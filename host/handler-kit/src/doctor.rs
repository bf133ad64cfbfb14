//! Looks whether all is there that a project needs.

use std::process::Command;

use plugin_build::Toolchain;

use crate::{
    build::{JAVASCRIPT_COMPILER, python_compiler},
    contract,
    project::{Language, Project},
};

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub part: &'static str,
    /// How it is; if not well: what to do.
    pub state: Result<String, String>,
}

/// Looks at the tools of the project's language, and at its packages.
///
/// # Errors
/// The packages were to be written, and can't be.
pub fn doctor(project: &Project, write_contract: bool) -> anyhow::Result<Vec<Finding>> {
    if write_contract {
        contract::write(&project.folder)?;
    }
    let tools = match project.manifest.language {
        Language::Rust => vec![rust()],
        Language::JavaScript => vec![node(), componentize_js(project)],
        Language::Python => vec![componentize_py(project)],
    };
    let findings = tools.into_iter().chain([packages(project), component(project)]);
    Ok(findings.collect())
}

fn rust() -> Finding {
    let state = Toolchain::find().map_err(|error| error.to_string()).and_then(|toolchain| {
        version(toolchain.cargo().arg("--version")).ok_or_else(|| "cargo does not run".into())
    });
    Finding { part: "cargo", state }
}

fn node() -> Finding {
    const OLDEST: u32 = 20;
    let remedy = || format!("install Node {OLDEST} or later");
    let state = version(Command::new("node").arg("--version")).ok_or_else(remedy);
    let state = state.and_then(|version| {
        let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
        if major.is_some_and(|major: u32| major >= OLDEST) {
            Ok(version)
        } else {
            Err(format!("{version} is too old: {}", remedy()))
        }
    });
    Finding { part: "node", state }
}

fn componentize_js(project: &Project) -> Finding {
    let compiler = project.folder.join(JAVASCRIPT_COMPILER);
    let remedy = || format!("run `npm install` in {}", project.folder.display());
    let state = version(Command::new("node").arg(compiler).arg("--version")).ok_or_else(remedy);
    Finding { part: "componentize-js", state }
}

fn componentize_py(project: &Project) -> Finding {
    let version = python_compiler(&project.folder)
        .and_then(|program| version(Command::new(program).arg("--version")));
    let remedy = || {
        format!(
            "in {} run `python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`",
            project.folder.display()
        )
    };
    Finding { part: "componentize-py", state: version.ok_or_else(remedy) }
}

fn packages(project: &Project) -> Finding {
    let differences = contract::differences(&project.folder);
    let state = if differences.is_empty() {
        Ok("as this host has it".into())
    } else {
        Err(format!(
            "{} differ from what this host has; `pairing-host plugin doctor --write-wit` writes them anew",
            differences.join(", ")
        ))
    };
    Finding { part: "wit/deps", state }
}

fn component(project: &Project) -> Finding {
    let state = crate::inspect(project).map(|built| format!("{} bytes", built.bytes));
    Finding {
        part: "component",
        state: state.map_err(|_| "run `pairing-host plugin build`".into()),
    }
}

/// The first line of what a program says; none if it does not run.
fn version(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
}
