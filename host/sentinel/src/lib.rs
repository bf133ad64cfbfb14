//! One small process beside each browser, which ends everything of a session when it or the host dies.
