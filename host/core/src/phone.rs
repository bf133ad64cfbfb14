//! Phone numbers as WhatsApp wants them: country code and number, digits only.

use std::fmt;

use phonenumber::metadata::DATABASE;
use serde::{Deserialize, Serialize};

/// A number that can exist: international form, digits only. It prints masked;
/// see [`PhoneNumber::as_str`] for the whole.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

/// A number, and what the library doubts about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The number.
    pub number: PhoneNumber,
    /// For people: why it may be wrong. WhatsApp knows some numbers by forms
    /// that numbering plans have given up, so this refuses nothing.
    pub warning: Option<String>,
}

/// A text that is no phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPhone {
    /// Nothing was given.
    #[error("the phone number is empty: give country code and number, such as 5511999999999")]
    Empty,
    /// Something else than digits, `+`, spaces, dashes, dots and parentheses.
    #[error("the phone number has {0:?} in it: give digits only, such as 5511999999999")]
    Character(char),
    /// It begins with 0.
    #[error(
        "the phone number begins with 0: give it with its country code, such as 5511999999999, and without the 0 of national calls"
    )]
    LeadingZero,
    /// Too short or too long for any country.
    #[error(
        "the phone number has {0} digits: with its country code it has 8 to 15, such as 5511999999999"
    )]
    Length(usize),
    /// No country has this code.
    #[error(
        "no country's code begins the phone number: give it as in 5511999999999, where 55 is the country"
    )]
    Country,
    /// The country has no numbers of this length.
    #[error(
        "the phone number has {found} digits after the country code {country}, where {country} has {expected}"
    )]
    NationalLength {
        /// The country's code.
        country: u16,
        /// How many digits there are.
        found: usize,
        /// How many there may be, such as `10 or 11`.
        expected: String,
    },
}

impl PhoneNumber {
    /// Takes a number as people write it: `+`, spaces, dashes, dots and
    /// parentheses are forgiven.
    pub fn parse(text: &str) -> Result<Parsed, InvalidPhone> {
        let text = text.trim();
        let forgiven = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}');
        let rest = text.strip_prefix('+').unwrap_or(text);
        if let Some(wrong) = rest.chars().find(|c| !c.is_ascii_digit() && !forgiven(*c)) {
            return Err(InvalidPhone::Character(wrong));
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        match digits.len() {
            0 => return Err(InvalidPhone::Empty),
            _ if digits.starts_with('0') => return Err(InvalidPhone::LeadingZero),
            8..=15 => {}
            other => return Err(InvalidPhone::Length(other)),
        }
        let warning = check(&digits)?;
        Ok(Parsed { number: Self(digits), warning })
    }

    /// The whole number. Not for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Masked, for logs: country code and the last two digits.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let country =
            parsed(&self.0).map_or(String::new(), |number| number.code().value().to_string());
        let tail = &self.0[self.0.len().saturating_sub(2)..];
        write!(f, "{country}…{tail}")
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A phone number in `Debug` output, which may end up in a log: its end only.
pub(crate) struct Masked<'a>(pub(crate) &'a str);

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.char_indices().rev().nth(1).map_or("", |(at, _)| &self.0[at..]);
        write!(f, "…{tail}")
    }
}

/// The text with only the end of what could be a phone number in it: for what
/// somebody else wrote and more people will read.
pub fn masked(text: &str) -> String {
    const SHORTEST: usize = 8;
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        if digits < SHORTEST {
            shown += number;
        } else {
            shown += &format!("{:?}", Masked(number));
        }
        let (between, next) =
            after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        shown += between;
        rest = next;
    }
    shown
}

/// Do these digits belong to the same phone? Brazil put a 9 before mobile
/// numbers, Mexico gave up a 1 and Argentina has a 9 in the international form
/// only; WhatsApp keeps whichever form an account was registered with.
pub fn is_same_number(one: &str, other: &str) -> bool {
    canonical(one) == canonical(other)
}

/// One form for all of a number's variants, see [`is_same_number`].
pub fn canonical(digits: &str) -> String {
    let (country, national) = digits.split_at(digits.len().min(2));
    match (country, national.len()) {
        ("55", 11) if national[2..].starts_with('9') => {
            format!("55{}{}", &national[..2], &national[3..])
        }
        ("52", 11) if national.starts_with('1') => format!("52{}", &national[1..]),
        ("54", 11) if national.starts_with('9') => format!("54{}", &national[1..]),
        _ => digits.to_owned(),
    }
}

fn parsed(digits: &str) -> Option<phonenumber::PhoneNumber> {
    phonenumber::parse(None, format!("+{digits}")).ok()
}

fn check(digits: &str) -> Result<Option<String>, InvalidPhone> {
    let old_form = canonical(digits) != digits && digits.starts_with("521");
    if old_form {
        return Ok(Some(
            "Mexican numbers lost their 1 after 52; if WhatsApp refuses this form, try without"
                .into(),
        ));
    }
    let number = parsed(digits).ok_or(InvalidPhone::Country)?;
    if number.is_valid() {
        return Ok(None);
    }
    let country = number.code().value();
    let found = digits.len() - country.to_string().len();
    let lengths = lengths_in(country);
    if !lengths.is_empty() && !lengths.iter().any(|length| usize::from(*length) == found) {
        let expected = lengths.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
        return Err(InvalidPhone::NationalLength { country, found, expected });
    }
    Ok(Some(format!(
        "this is not a number that the plan of country {country} knows; it is tried all the same"
    )))
}

/// How many digits there may be after the country's code, ascending. Any kind of
/// number counts: WhatsApp takes landlines too.
fn lengths_in(country: u16) -> Vec<u16> {
    let plans = DATABASE.by_code(&country).into_iter().flatten();
    let kinds = plans.flat_map(|plan| {
        let plan = plan.descriptors();
        [plan.fixed_line(), plan.mobile(), plan.voip(), plan.personal_number(), plan.toll_free()]
    });
    let mut lengths: Vec<u16> =
        kinds.flatten().flat_map(|kind| kind.possible_length().to_vec()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> String {
        PhoneNumber::parse(text).unwrap().number.as_str().to_owned()
    }

    #[test]
    fn what_people_write_is_forgiven() {
        for text in ["5511999990001", "+55 11 99999-0001", " 55 (11) 99999.0001 "] {
            assert_eq!(digits(text), "5511999990001");
        }
        assert_eq!(PhoneNumber::parse("5511999990001").unwrap().warning, None);
        assert_eq!(digits("+1 650 253 0000"), "16502530000");
        assert_eq!(digits("+49 1512 3456789"), "4915123456789");
    }

    #[test]
    fn what_cannot_exist_is_refused_with_the_reason() {
        use InvalidPhone::*;
        let refusal = |text: &str| PhoneNumber::parse(text).unwrap_err();
        assert_eq!(refusal(" "), Empty);
        assert_eq!(refusal("55119x999"), Character('x'));
        assert_eq!(refusal("011999990001"), LeadingZero);
        assert_eq!(refusal("5511"), Length(4));
        assert_eq!(refusal("5511912345678901234"), Length(19));
        assert!(matches!(refusal("55119999"), NationalLength { country: 55, found: 6, .. }));
        assert!(matches!(refusal("999123456789"), Country), "{:?}", refusal("999123456789"));
    }

    #[test]
    fn what_is_merely_doubted_passes_with_a_warning() {
        assert!(PhoneNumber::parse("551199990001").unwrap().number.as_str().len() == 12);
        assert!(PhoneNumber::parse("5215512345678").unwrap().warning.is_some());
        assert!(PhoneNumber::parse("5500999990001").unwrap().warning.is_some());
    }

    #[test]
    fn old_and_new_forms_are_the_same_phone() {
        assert!(is_same_number("5511999990001", "551199990001"));
        assert!(is_same_number("5215512345678", "525512345678"));
        assert!(is_same_number("5491123456789", "541123456789"));
        assert!(!is_same_number("5511999990001", "5511999990002"));
        assert!(!is_same_number("16502530000", "165025300001"));
    }

    #[test]
    fn numbers_in_a_text_are_masked_and_all_else_stays() {
        for (text, shown) in [
            ("", ""),
            ("at 1234567, é 2026-11-24", "at 1234567, é 2026-11-24"),
            ("5511999990001", "…01"),
            ("no +5511999990001@c.us, but 12345678", "no +…01@c.us, but …78"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn logs_see_the_country_and_two_digits() {
        let number = PhoneNumber::parse("5511999990001").unwrap().number;
        assert_eq!(format!("{number} {number:?}"), "55…01 55…01");
    }
}
