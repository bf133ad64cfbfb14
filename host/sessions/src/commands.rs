//! Commands on their way to a session, and how they end.

use std::collections::HashMap;

use pairing_core::{
    clock::Timestamp,
    command::{Command, RefusalCode},
    plugin::PluginError,
    store::StoreError,
    workflow::CommandId,
};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

/// What a command brought.
#[derive(Clone)]
pub enum CommandReply {
    /// Done, or under way.
    Done {
        /// A sentence for people.
        message: String,
    },
    /// A pairing code.
    CodeMade {
        /// Eight characters, without a dash.
        code: SecretString,
        /// From then on it is void.
        expires_at: Timestamp,
    },
}

/// Why a command brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such session.
    #[error("there is no session of this name")]
    NotFound,
    /// The workflow refused.
    #[error("{message}")]
    Refused {
        /// Why.
        code: RefusalCode,
        /// For people: what is wrong and what to do.
        message: String,
    },
    /// The workflow gave no answer.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// It could not be written down. It may take effect later all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many commands wait for this session.
    #[error("too many commands wait for this session; try again in a moment")]
    Busy,
    /// No reply in time. It may take effect later all the same.
    #[error("the session did not reply in time; look at its status")]
    TimedOut,
    /// The session was taken up anew meanwhile, or the host stops.
    #[error("the session was interrupted; try again")]
    Interrupted,
}

pub(crate) type Answer = Result<CommandReply, CommandError>;

/// A command on its way, with the caller's end of the reply.
pub(crate) struct CommandMessage {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Answer>,
}

impl CommandMessage {
    /// Answers without having done anything.
    pub(crate) fn refuse(self, error: CommandError) {
        // The caller may have gone.
        let _ = self.reply.send(Err(error));
    }
}

/// A session's commands, in the order of their coming.
pub(crate) struct Mailbox<'a> {
    incoming: &'a mut mpsc::Receiver<CommandMessage>,
    /// It was taken too early, and goes first.
    held: Option<CommandMessage>,
}

impl<'a> Mailbox<'a> {
    pub(crate) fn new(incoming: &'a mut mpsc::Receiver<CommandMessage>) -> Self {
        Self { incoming, held: None }
    }

    /// Cancel-safe; never returns once there can be no more.
    pub(crate) async fn next(&mut self) -> CommandMessage {
        match self.incoming.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn hold(&mut self, message: CommandMessage) {
        self.held = Some(message);
    }

    pub(crate) fn take_held(&mut self) -> Option<CommandMessage> {
        self.held.take()
    }

    /// Until `end` no command is taken: callers hear so at once.
    pub(crate) async fn refuse_until<T>(
        &mut self,
        end: impl Future<Output = T>,
        error: impl Fn() -> CommandError,
    ) -> T {
        if let Some(held) = self.held.take() {
            held.refuse(error());
        }
        tokio::pin!(end);
        loop {
            tokio::select! {
                end = &mut end => return end,
                message = self.next() => message.refuse(error()),
            }
        }
    }
}

/// Callers that wait for their reply.
#[derive(Default)]
pub(crate) struct Replies(HashMap<CommandId, oneshot::Sender<Answer>>);

impl Replies {
    pub(crate) fn expect(&mut self, id: CommandId, reply: oneshot::Sender<Answer>) {
        // Some callers do not wait until the end.
        self.0.retain(|_, reply| !reply.is_closed());
        self.0.insert(id, reply);
    }

    pub(crate) fn answer(&mut self, id: CommandId, answer: Answer) {
        if let Some(reply) = self.0.remove(&id) {
            // The caller may have gone; what it asked for is done all the same.
            let _ = reply.send(answer);
        }
    }

    pub(crate) fn fail_all(&mut self, error: impl Fn() -> CommandError) {
        for (_, reply) in self.0.drain() {
            let _ = reply.send(Err(error()));
        }
    }
}
