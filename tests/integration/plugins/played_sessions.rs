//! Sessions that the test plays itself: it hands their inputs to the workflow and
//! commits what that decides, so that nothing happens but what the test says.

use pairing_core::{
    clock::Clock,
    command::{Command, Outcome},
    id::SessionName,
    plugin::PluginError,
    session::SessionRecord,
    store::{Commit, RecordedInput},
    workflow::{Context, Decision, Effect, Input, PairingSettings},
};

use crate::plugins::harness::TestRegistry;

impl TestRegistry {
    /// Hands an input to the workflow and commits what it decides.
    pub(crate) async fn say(&self, session: &str, input: Input) -> Result<Decision, PluginError> {
        self.say_with(session, input, 0).await
    }

    /// A command; its reply is the count of the session's inputs.
    pub(crate) async fn command(&self, session: &str) -> Result<Decision, PluginError> {
        let command = Command::Init { expected_phone_number: None, confirm: false };
        self.say(session, Input::Command { id: 1, command }).await
    }

    pub(crate) async fn delete(&self, session: &str) -> Result<Decision, PluginError> {
        let command = Command::Delete { confirm: true };
        self.say(session, Input::Command { id: 1, command }).await
    }

    pub(crate) async fn say_with(
        &self,
        session: &str,
        input: Input,
        seed: u64,
    ) -> Result<Decision, PluginError> {
        let (decision, context) = self.ask(session, &input, seed).await?;
        self.commit(&input, &context, &decision).await;
        Ok(decision)
    }

    /// Without committing anything.
    pub(crate) async fn ask(
        &self,
        session: &str,
        input: &Input,
        seed: u64,
    ) -> Result<(Decision, Context), PluginError> {
        let name: SessionName = session.parse().unwrap();
        let record = self.records.lock().unwrap().get(&name).cloned();
        let context = Context {
            session_name: name,
            now: self.clock.now(),
            seed,
            input_number: record.as_ref().map_or(0, |record| record.input_number) + 1,
            settings: PairingSettings::default(),
            watched: true,
        };
        let state = record.as_ref().map(|record| (record.state_schema, &record.state[..]));
        let workflow = self.registry.plugins().workflow;
        Ok((workflow.handle(state, input, &context).await?, context))
    }

    pub(crate) async fn commit(&self, input: &Input, context: &Context, decision: &Decision) {
        let (name, now) = (context.session_name.clone(), context.now);
        let transition = &decision.transition;
        let record = SessionRecord {
            name: name.clone(),
            view: transition.view.clone(),
            state: transition.state.clone(),
            state_schema: decision.state_schema,
            input_number: context.input_number,
            wake_up_at: transition.wake_up_at,
            created_at: now,
            updated_at: now,
        };
        let recorded = RecordedInput {
            number: context.input_number,
            at: now,
            digest: decision.digest.clone(),
            state_schema: decision.state_schema,
            fuel: decision.fuel,
            input: serde_json::to_string(input).unwrap(),
            context: serde_json::to_string(context).unwrap(),
            transition: serde_json::to_string(transition).unwrap(),
        };
        let delete = transition.effects.contains(&Effect::DeleteSession);
        let commit = Commit {
            record: record.clone(),
            input: recorded,
            events: Vec::new(),
            history: None,
            evidence: None,
            delete,
        };
        self.store.commit(&commit).await.unwrap();
        let mut records = self.records.lock().unwrap();
        if delete {
            records.remove(&name)
        } else {
            records.insert(name, record)
        };
    }

    /// `session-0` and so on, each with a command and what may follow on it.
    pub(crate) async fn record_histories(&self, count: usize) {
        for number in 0..count {
            let session = format!("session-{number}");
            self.command(&session).await.unwrap();
            self.say(&session, Input::WakeUp).await.unwrap();
        }
    }

    /// A session's state in the database, with its schema.
    pub(crate) async fn state(&self, session: &str) -> (u32, String) {
        let sessions = self.store.sessions().await.unwrap();
        let record = sessions.into_iter().find(|record| record.name.as_str() == session).unwrap();
        (record.state_schema, String::from_utf8(record.state).unwrap())
    }
}

/// What a command was answered.
pub(crate) fn reply(decision: &Decision) -> &str {
    let replies = decision.transition.effects.iter().find_map(|effect| match effect {
        Effect::Reply { outcome: Outcome::Done(said), .. } => Some(said),
        _ => None,
    });
    replies.unwrap()
}
