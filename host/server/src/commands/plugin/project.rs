//! `pairing-host plugin new|build|test|doctor`: what needs no host.

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use pairing_handler_kit::{Built, Histories, Project};
use pairing_plugin_runtime::{ChildCompiler, Compiler, PluginsConfig};

use super::figures::size;
use crate::{
    cli::{COMPILE_PLUGIN, ProjectCommand},
    commands::wait_for,
};

/// Something is not as expected.
const NOT_AS_EXPECTED: u8 = 2;

/// To be called outside of any runtime: some bring their own.
pub fn run(command: ProjectCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProjectCommand::New { name, language, dir } => {
            let folder = dir.unwrap_or_else(|| PathBuf::from(name.as_str()));
            pairing_handler_kit::create(name, language.into(), &folder)?;
            println!("{} is made; its README.md says how to go on", folder.display());
        }
        ProjectCommand::Build(args) => {
            let project = Project::open(&args.dir)?;
            println!("{}", said_of(&project, &pairing_handler_kit::build(&project)?));
        }
        ProjectCommand::Test { project, histories } => {
            let project = Project::open(&project.dir)?;
            let histories = histories.as_deref().map(source).transpose()?;
            let report = pairing_handler_kit::test(&project, config(), histories.as_ref())?;
            println!("{report}");
            if !report.is_good() {
                return Ok(ExitCode::from(NOT_AS_EXPECTED));
            }
        }
        ProjectCommand::Run(args) => wait_for(super::run_project::run(args))?,
        ProjectCommand::Doctor { project, write_wit } => {
            let project = Project::open(&project.dir)?;
            let mut is_well = true;
            for finding in pairing_handler_kit::doctor(&project, write_wit)? {
                let (mark, text) = match &finding.state {
                    Ok(text) => ("ok  ", text),
                    Err(text) => ("FAIL", text),
                };
                is_well &= finding.state.is_ok();
                println!("{mark} {:<16}{text}", finding.part);
            }
            if !is_well {
                bail!("something is missing; the lines above say how to get it");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What there is to know of a component.
pub fn said_of(project: &Project, built: &Built) -> String {
    let path = built.path.strip_prefix(&project.folder).unwrap_or(&built.path);
    let mut text = format!(
        "{}: {}, SHA-256 {}\nimports:",
        path.display(),
        size(built.bytes as u64),
        built.digest
    );
    for import in &built.imports {
        text.push_str("\n  ");
        text.push_str(import);
    }
    if built.imports.is_empty() {
        text.push_str(" nothing");
    }
    text
}

/// The limits of a host, and its way to compile.
pub fn config() -> PluginsConfig {
    let compiler = ChildCompiler::new("/proc/self/exe".into(), vec![COMPILE_PLUGIN.into()]);
    PluginsConfig { compiler: Compiler::Child(compiler), ..PluginsConfig::default() }
}

fn source(text: &str) -> anyhow::Result<Histories> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return Ok(Histories::File(text.into()));
    }
    let url = text.parse().with_context(|| format!("`{text}` is no address"))?;
    match env::var("PAIRING_TOKEN") {
        Ok(token) if !token.is_empty() => Ok(Histories::Host(url, token)),
        _ => bail!("no token: set PAIRING_TOKEN, for example to what `pairing-host token` prints"),
    }
}
