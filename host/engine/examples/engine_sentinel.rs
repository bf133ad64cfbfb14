//! The sentinel, as the engine's tests start it; in production it is `pairing-host sentinel`.

fn main() -> std::process::ExitCode {
    pairing_sentinel::run()
}
