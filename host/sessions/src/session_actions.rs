//! What handlers may ask of sessions, carried out by the sessions.

use async_trait::async_trait;
use pairing_core::{
    command::Command,
    handler::{SessionActionError, SessionActions},
    id::SessionName,
    subscription::SessionAction,
};

use crate::{commands::CommandError, sessions::Sessions};

#[async_trait]
impl SessionActions for Sessions {
    async fn act(
        &self,
        session: &SessionName,
        action: SessionAction,
    ) -> Result<(), SessionActionError> {
        let command = match action {
            SessionAction::Reconnect => Command::Reconnect,
            SessionAction::Park => Command::Disconnect,
            // The grant is the confirmation.
            SessionAction::LogOut => Command::Logout { confirm: true },
        };
        match self.command(session, command).await {
            Ok(_) => Ok(()),
            Err(CommandError::NotFound) => Err(SessionActionError::NotFound),
            Err(CommandError::Refused { message, .. }) => Err(SessionActionError::Refused(message)),
            // What a store or a plugin says is not for a guest.
            Err(CommandError::Store(_) | CommandError::Plugin(_)) => {
                Err(SessionActionError::Unavailable("the host can't do it now".into()))
            }
            Err(error) => Err(SessionActionError::Unavailable(error.to_string())),
        }
    }
}
