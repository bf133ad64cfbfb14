//! When two phone numbers are the same.

/// Do these digits belong to the same phone? Brazil put a 9 before mobile
/// numbers, Mexico gave up a 1, and Argentina has a 9 in the international form
/// only; WhatsApp keeps whichever form an account was registered with.
pub(crate) fn is_same_number(one: &str, other: &str) -> bool {
    canonical(one) == canonical(other)
}

/// The last two digits, to name a number without giving it away.
pub(crate) fn tail(number: &str) -> &str {
    number.get(number.len().saturating_sub(2)..).unwrap_or_default()
}

fn canonical(digits: &str) -> String {
    let (country, national) = digits.split_at_checked(2).unwrap_or((digits, ""));
    match (country, national.len()) {
        ("55", 11) if national.get(2..3) == Some("9") => {
            format!("55{}{}", &national[..2], &national[3..])
        }
        ("52", 11) if national.starts_with('1') => format!("52{}", &national[1..]),
        ("54", 11) if national.starts_with('9') => format!("54{}", &national[1..]),
        _ => digits.to_owned(),
    }
}
