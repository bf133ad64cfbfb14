//! Compiles one component, as a child of whoever loads plugins. The host has a
//! hidden command that does the same; this is for those who are not the host.

fn main() -> std::process::ExitCode {
    pairing_plugin_runtime::compile_stdin()
}
