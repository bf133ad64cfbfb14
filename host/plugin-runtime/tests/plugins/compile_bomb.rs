//! A component that is small and takes very long to compile.

use std::fmt::Write;

/// One function with so many values alive at once that giving each its place
/// takes the compiler far more time than reading them.
pub(crate) fn module() -> String {
    const LOCALS: usize = 2_000;
    const ROUNDS: usize = 60;
    let mut body = String::new();
    for round in 0..ROUNDS {
        for local in 0..LOCALS {
            let other = (local * 7919 + round * 104_729) % LOCALS;
            let _ = write!(
                body,
                "(local.set {local} (i64.rotl (i64.mul (local.get {local}) (local.get {other})) (local.get {})))",
                (other + 1) % LOCALS
            );
        }
        let _ = write!(body, "(br_if 0 (i64.eqz (local.get {})))", round % LOCALS);
    }
    format!("(module (func (local {}) (loop {body})))", "i64 ".repeat(LOCALS))
}
