//! The rule of a login's chain of refresh tokens, for both databases.

use pairing_core::{
    clock::Timestamp,
    store::{Login, LoginLimits},
};

/// What presenting a token does to its login.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// The login moves on to this.
    Next(Login),
    /// The successor, still unused, is handed out again.
    Again(Login),
    /// The token was spent: whoever presents it now, or whoever spent it, is
    /// not the owner. The login ends.
    Spent,
    /// Idle or old for too long, or a token that was never handed out.
    Void,
}

pub(crate) fn present(
    login: Login,
    counter: u64,
    now: Timestamp,
    limits: LoginLimits,
) -> Presented {
    if login.created_at < limits.created_since || login.rotated_at < limits.idle_since {
        return Presented::Void;
    }
    if counter == login.counter {
        return Presented::Next(Login { counter: counter + 1, rotated_at: now, ..login });
    }
    if counter > login.counter {
        return Presented::Void;
    }
    if counter + 1 == login.counter && login.rotated_at > limits.grace_since {
        return Presented::Again(login);
    }
    Presented::Spent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            id: uuid::Uuid::nil(),
            admin: uuid::Uuid::nil(),
            counter: 5,
            rotated_at: Timestamp(1_000),
            created_at: Timestamp(500),
        }
    }

    fn limits(idle: u64, created: u64, grace: u64) -> LoginLimits {
        LoginLimits {
            idle_since: Timestamp(idle),
            created_since: Timestamp(created),
            grace_since: Timestamp(grace),
        }
    }

    #[test]
    fn each_rule_at_its_edge() {
        let next = Login { counter: 6, rotated_at: Timestamp(1_200), ..login() };
        for (counter, limits, expected) in [
            (5, limits(1_000, 500, 1_190), Presented::Next(next)),
            (5, limits(1_001, 500, 1_190), Presented::Void),
            (5, limits(1_000, 501, 1_190), Presented::Void),
            (6, limits(0, 0, 0), Presented::Void),
            (4, limits(0, 0, 999), Presented::Again(login())),
            (4, limits(0, 0, 1_000), Presented::Spent),
            (3, limits(0, 0, 0), Presented::Spent),
            (0, limits(0, 0, 0), Presented::Spent),
            (3, limits(1_001, 0, 0), Presented::Void),
        ] {
            let presented = present(login(), counter, Timestamp(1_200), limits);
            assert_eq!(presented, expected, "token {counter}, {limits:?}");
        }
    }
}
