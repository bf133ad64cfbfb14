//! Knows what the host acknowledged and delivered, from outside, and compares. Shares no code with it.

fn main() {}
