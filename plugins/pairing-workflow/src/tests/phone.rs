use crate::phone::{is_same_number, tail};

#[test]
fn countries_that_changed_their_numbers_are_known() {
    assert!(is_same_number("5511999990001", "551199990001"));
    assert!(is_same_number("5215512345678", "525512345678"));
    assert!(is_same_number("5491123456789", "541123456789"));
}

#[test]
fn other_differences_are_differences() {
    assert!(!is_same_number("5511999990001", "5511999990002"));
    assert!(!is_same_number("16502530000", "165025300001"));
    // A Brazilian number of eleven digits whose third is no 9.
    assert!(!is_same_number("5511899990001", "551199990001"));
}

#[test]
fn odd_texts_do_not_trap() {
    for odd in ["", "5", "55", "é", "5é", "55é99999999"] {
        assert!(is_same_number(odd, odd));
        assert!(tail(odd).len() <= 3);
    }
}
