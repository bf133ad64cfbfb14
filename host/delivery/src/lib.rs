//! Hands the journal to subscribers: at least once, in order for each session.
