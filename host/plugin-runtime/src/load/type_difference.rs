//! What differs between a component's type and the host's, in words for its
//! author. wasmtime knows, but tells it from the host's side and as a chain.

/// Such as "in its answer, `view`.`status` has 6 cases, expected 5".
pub(crate) fn in_words(error: &wasmtime::Error) -> String {
    let mut place = "";
    let mut path = Vec::new();
    let mut difference = String::new();
    for cause in error.chain().map(ToString::to_string) {
        match cause.strip_prefix("type mismatch ") {
            Some("with parameters") => place = "in its parameters",
            Some("with results") => place = "in its answer",
            // "for field status", "for case failed"
            Some(step) => {
                path.push(format!("`{}`", step.rsplit_once(' ').map_or(step, |(_, name)| name)));
            }
            None => difference = rephrased(&cause),
        }
    }
    if path.is_empty() {
        format!("{place}: it {difference}")
    } else {
        format!("{place}, {} {difference}", path.join("."))
    }
}

/// From "expected enum of 5 names, found 6 names" to "has 6 cases, expected 5".
/// What wasmtime may say in other words some day is handed on as it is.
fn rephrased(cause: &str) -> String {
    let sides = cause.strip_prefix("expected ");
    let sides =
        sides.and_then(|rest| rest.split_once(", found ").or_else(|| rest.split_once(" found ")));
    let Some((expected, found)) = sides else { return format!("differs ({cause})") };
    COUNTED
        .iter()
        .find(|(word, _)| expected.contains(word))
        .and_then(|(_, what)| {
            Some(format!("has {} {what}, expected {}", number(found)?, number(expected)?))
        })
        .or_else(|| {
            let (what, name) = expected.split_once(" named ")?;
            let what = what.rsplit(' ').next()?;
            Some(format!("has the {what} `{found}` where `{name}` is expected"))
        })
        .unwrap_or_else(|| format!("is {found}, expected {expected}"))
}

/// wasmtime's word for what has parts, and what the parts are.
const COUNTED: [(&str, &str); 5] = [
    ("enum of ", "cases"),
    ("variant of ", "cases"),
    ("record of ", "fields"),
    ("flags type with ", "flags"),
    ("-tuple", "values"),
];

fn number(text: &str) -> Option<u32> {
    text.split([' ', '-']).find_map(|word| word.parse().ok())
}
