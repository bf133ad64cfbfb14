//! Speaks enough of the debugging protocol that the host takes it for a browser with WhatsApp Web in it.

fn main() {}
