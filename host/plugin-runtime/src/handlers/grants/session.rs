//! Grant `session`.

use std::time::Duration;

use pairing_core::{handler::SessionActionError, id::SessionName, subscription::SessionAction};

use super::super::state::HandlerState;
use crate::bindings::handler::pairing_console::handler::session::{ActionError, Host};

/// Giving up a link may take long; the call's own time ends it.
const LONGEST: Duration = Duration::from_secs(30);

type Answer = wasmtime::Result<Result<(), ActionError>>;

impl Host for HandlerState {
    async fn reconnect(&mut self, session: String) -> Answer {
        Ok(self.act(session, SessionAction::Reconnect).await)
    }

    async fn park(&mut self, session: String) -> Answer {
        Ok(self.act(session, SessionAction::Park).await)
    }

    async fn log_out(&mut self, session: String) -> Answer {
        Ok(self.act(session, SessionAction::LogOut).await)
    }
}

impl HandlerState {
    async fn act(&mut self, session: String, action: SessionAction) -> Result<(), ActionError> {
        let refused = |what: &str| ActionError::NotGranted(what.to_owned());
        let bound = self.bound.clone().ok_or_else(|| refused("nothing is granted here"))?;
        if !bound.settings.grants.session.contains(&action) {
            return Err(refused("this action"));
        }
        let name: SessionName = session.parse().map_err(|_| ActionError::NotFound)?;
        if bound.settings.sessions.as_ref().is_some_and(|sessions| !sessions.contains(&name)) {
            return Err(refused("this session"));
        }
        if bound.actions.check_key(&name).is_err() {
            return Err(ActionError::TooOften);
        }
        let Some(sessions) = self.host.sessions.get() else {
            return Err(ActionError::Other("the host is starting".into()));
        };
        let acted = tokio::time::timeout(self.call.at_most(LONGEST), sessions.act(&name, action));
        match acted.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SessionActionError::NotFound)) => Err(ActionError::NotFound),
            Ok(Err(SessionActionError::Refused(why))) => Err(ActionError::Refused(why)),
            Ok(Err(SessionActionError::Unavailable(why))) => Err(ActionError::Other(why)),
            Err(_) => Err(ActionError::Other("the session did not answer in time".into())),
        }
    }
}
