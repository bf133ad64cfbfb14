//! A module of a few kilobytes that no compiler gets done with. Tests of several
//! crates take it up by its path.

/// Loops within loops, each of which may change each local: what goes from one
/// block to the next grows with the product of both, and so do the compiler's
/// time and memory.
pub(crate) fn module() -> String {
    const LOOPS: usize = 2_000;
    const LOCALS: usize = 2_000;
    let changes: String = (0..LOCALS)
        .map(|local| {
            format!(
                "local.get {local} local.get {} i32.add local.set {local} ",
                (local + 1) % LOCALS
            )
        })
        .collect();
    let begin = "loop ".repeat(LOOPS);
    let end = "local.get 0 br_if 0 end ".repeat(LOOPS);
    format!("(module (func (local {}) {begin} {changes} {end}))", "i32 ".repeat(LOCALS))
}
