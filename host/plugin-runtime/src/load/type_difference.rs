//! What differs between a component's type and the host's, in words for its
//! author. wasmtime knows, but tells it from the host's side and as a chain.

/// Such as "in its answer, `view`.`status` has 6 cases, expected 5".
pub(super) fn in_words(error: &wasmtime::Error) -> String {
    let mut place = "";
    let mut path = Vec::new();
    let mut difference = String::new();
    for cause in error.chain().map(ToString::to_string) {
        match cause.strip_prefix("type mismatch ") {
            Some("with parameters") => place = "in its parameters, ",
            Some("with results") => place = "in its answer, ",
            Some(step) => path.push(match step.rsplit_once(' ') {
                Some((_, name)) => format!("`{name}`"),
                None => step.to_owned(),
            }),
            None => difference = rephrased(&cause),
        }
    }
    let path = if path.is_empty() { "it".into() } else { path.join(".") };
    format!("{place}{path} {difference}")
}

/// wasmtime: "expected enum of 5 names, found 6 names".
fn rephrased(cause: &str) -> String {
    let sides = cause
        .strip_prefix("expected ")
        .and_then(|rest| rest.split_once(", found ").or_else(|| rest.split_once(" found ")));
    let Some((expected, found)) = sides else { return format!("differs ({cause})") };
    let counted = |what: &str| {
        let number = |text: &str| text.split([' ', '-']).find_map(|word| word.parse::<u32>().ok());
        Some(format!("has {} {what}, expected {}", number(found)?, number(expected)?))
    };
    let named = |what: &str| {
        let name = expected.strip_prefix(what)?;
        Some(format!("has {what}`{found}` where `{name}` is expected"))
    };
    let told = if expected.starts_with("enum of") || expected.starts_with("variant of") {
        counted("cases")
    } else if expected.starts_with("record of") {
        counted("fields")
    } else if expected.starts_with("flags type with") {
        counted("flags")
    } else if expected.ends_with("-tuple") {
        counted("values")
    } else {
        ["enum case named ", "variant case named ", "record field named ", "flag named "]
            .into_iter()
            .find_map(named)
    };
    told.unwrap_or_else(|| format!("is {found}, expected {expected}"))
}
