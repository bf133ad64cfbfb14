//! Who gets which events of a handler and what it may do with them: subscriptions
//! in the database, their authority in the runtime.

use std::collections::{BTreeMap, HashMap};

use pairing_core::{
    event::Cursor,
    handler::HandlerName,
    plugin::Slot,
    plugin_store::{PluginAction, PluginChange},
    store::StoreError,
    subscription::{Grants, SealedSecret, Subscription, SubscriptionId, SubscriptionSettings},
};
use pairing_plugin_runtime::{Authority, LoadedVersion};
use secrecy::SecretString;

use crate::{
    errors::RegistryError,
    registry::{Registry, count},
    subscription_rules as rules,
};

/// A subscription that is to be.
#[derive(Debug)]
pub struct PutSubscription {
    /// Its name; it is made, or replaced where it is there.
    pub id: SubscriptionId,
    /// What it gets and may do.
    pub settings: SubscriptionSettings,
    /// Secrets to set, or to remove (none); others stay.
    pub secrets: BTreeMap<String, Option<SecretString>>,
    /// Where it begins if it is new.
    pub from: Begin,
    /// For the history.
    pub why: String,
    /// Who wants it.
    pub who: String,
}

/// A place of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Its end, as it is at that moment.
    Now,
    /// What comes after this is handed over.
    After(Cursor),
}

/// A subscription as it was written.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// It.
    pub subscription: Subscription,
    /// It was not there before.
    pub is_new: bool,
}

impl Registry {
    /// A handler's subscriptions, by name.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn subscriptions(
        &self,
        handler: HandlerName,
    ) -> Result<Vec<Subscription>, RegistryError> {
        let mut all = self.0.parts.subscriptions.subscriptions().await?;
        all.retain(|subscription| subscription.id.handler == handler);
        Ok(all)
    }

    /// One subscription.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn subscription(&self, id: &SubscriptionId) -> Result<Subscription, RegistryError> {
        let all = self.0.parts.subscriptions.subscriptions().await?;
        let found = all.into_iter().find(|subscription| subscription.id == *id);
        found.ok_or_else(|| RegistryError::UnknownSubscription(id.clone()))
    }

    /// Makes or replaces a subscription.
    ///
    /// # Errors
    /// It can't be used, or would be granted less than the active version needs.
    pub async fn put_subscription(
        &self,
        ask: PutSubscription,
    ) -> Result<Subscribed, RegistryError> {
        let (id, slot) = (ask.id.clone(), Slot::Handler(ask.id.handler));
        let _turn = self.changing(slot).await;
        let mut change = self.of_subscription(PluginAction::Grant, &id, &ask.who, &ask.why);
        let putting = async {
            let known = self.subscriptions(id.handler).await?;
            rules::check(&ask, &known)?;
            let before = known.into_iter().find(|known| known.id == id);
            let is_new = before.is_none();
            // One that is there keeps its place.
            let from = if is_new { self.place(ask.from).await? } else { Cursor::default() };
            self.check_enough(&id, &ask.settings.grants)?;
            let subscription = self.subscribed(ask, before)?;
            self.0.parts.subscriptions.put_subscription(&subscription, from).await?;
            Ok(Subscribed { subscription, is_new })
        };
        let put = match putting.await {
            Ok(put) => put,
            Err(error) => return Err(self.refused(change, error).await),
        };
        change.detail = rules::in_words(&put.subscription);
        self.written(id.handler, change).await?;
        Ok(put)
    }

    /// Removes a subscription with all that belongs to it.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn remove_subscription(
        &self,
        id: &SubscriptionId,
        who: &str,
    ) -> Result<(), RegistryError> {
        let _turn = self.changing(Slot::Handler(id.handler)).await;
        if !self.0.parts.subscriptions.remove_subscription(id).await? {
            return Err(RegistryError::UnknownSubscription(id.clone()));
        }
        let change = self.of_subscription(PluginAction::Unsubscribe, id, who, "");
        self.written(id.handler, change).await
    }

    /// Moves a subscription: what comes after the place is handed over, again if it
    /// was before.
    ///
    /// # Errors
    /// There is none of this name, or no such place.
    pub async fn seek(
        &self,
        id: &SubscriptionId,
        to: Begin,
        who: &str,
    ) -> Result<Cursor, RegistryError> {
        let _turn = self.changing(Slot::Handler(id.handler)).await;
        let cursor = self.place(to).await?;
        if !self.0.parts.subscriptions.seek(id, cursor).await? {
            return Err(RegistryError::UnknownSubscription(id.clone()));
        }
        let mut change = self.of_subscription(PluginAction::Seek, id, who, "");
        change.detail += &format!(" goes on after {cursor}");
        self.written(id.handler, change).await?;
        Ok(cursor)
    }

    /// Switches a subscription on.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn enable(&self, id: &SubscriptionId, who: &str) -> Result<(), RegistryError> {
        self.switch(PluginAction::Enable, id, None, who, "").await
    }

    /// Switches a subscription off; its place stays.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn disable(
        &self,
        id: &SubscriptionId,
        why: &str,
        who: &str,
    ) -> Result<(), RegistryError> {
        let told = match why {
            "" => format!("switched off by {who}"),
            why => format!("switched off by {who}: {why}"),
        };
        self.switch(PluginAction::Disable, id, Some(&told), who, why).await
    }

    async fn switch(
        &self,
        action: PluginAction,
        id: &SubscriptionId,
        off: Option<&str>,
        who: &str,
        why: &str,
    ) -> Result<(), RegistryError> {
        let _turn = self.changing(Slot::Handler(id.handler)).await;
        if !self.0.parts.subscriptions.set_disabled(id, off).await? {
            return Err(RegistryError::UnknownSubscription(id.clone()));
        }
        let change = self.of_subscription(action, id, who, why);
        self.written(id.handler, change).await
    }

    /// Fails if the version imports more than some subscription of its handler was
    /// granted: it could not be linked for that one.
    pub(crate) async fn check_grants(&self, version: &LoadedVersion) -> Result<(), RegistryError> {
        let Some(handler) = version.info().slot.handler() else { return Ok(()) };
        let all = self.subscriptions(handler).await?;
        let lacking = all.iter().filter_map(|one| lack(version, &one.id, &one.settings.grants));
        enough(lacking.collect())
    }

    /// Fails if what serves a subscription now imports more than this.
    fn check_enough(&self, id: &SubscriptionId, grants: &Grants) -> Result<(), RegistryError> {
        let (slot, runtime) = (Slot::Handler(id.handler), &self.0.parts.runtime);
        let Some(filled) = runtime.filled(slot) else { return Ok(()) };
        let canary = filled.canary.map(|(canary, _)| canary.info.digest);
        let serving = [Some(filled.active.info.digest), canary].into_iter().flatten();
        let serving = serving.filter_map(|digest| runtime.running(slot, &digest));
        enough(serving.filter_map(|version| lack(&version, id, grants)).collect())
    }

    fn subscribed(
        &self,
        ask: PutSubscription,
        before: Option<Subscription>,
    ) -> Result<Subscription, RegistryError> {
        let PutSubscription { id, settings, secrets: asked, who, .. } = ask;
        let now = self.0.parts.clock.now();
        let (mut secrets, disabled, created_at) = match before {
            Some(before) => (before.secrets, before.disabled, before.created_at),
            None => (BTreeMap::new(), None, now),
        };
        for (name, secret) in asked {
            match secret {
                Some(secret) => {
                    let sealed = self.0.sealer.seal(&id, &name, &secret)?;
                    secrets.insert(name, sealed);
                }
                None => drop(secrets.remove(&name)),
            }
        }
        let (updated_at, updated_by) = (now, who);
        Ok(Subscription { id, settings, secrets, disabled, created_at, updated_at, updated_by })
    }

    async fn place(&self, begin: Begin) -> Result<Cursor, RegistryError> {
        let (_, newest) = self.0.parts.journal.bounds().await?;
        match begin {
            Begin::Now => Ok(newest),
            Begin::After(cursor) if cursor <= newest => Ok(cursor),
            Begin::After(cursor) => Err(RegistryError::Subscription(vec![format!(
                "the journal ends at {newest}, and {cursor} is beyond it: give a place up to its \
                 end, or `now`"
            )])),
        }
    }

    /// A line of history that names no version: those count as what was active.
    fn of_subscription(
        &self,
        action: PluginAction,
        id: &SubscriptionId,
        who: &str,
        why: &str,
    ) -> PluginChange {
        let detail = format!("subscription `{}`", id.name);
        let change = self.change(Slot::Handler(id.handler), action, who, why);
        PluginChange { from: None, detail, ..change }
    }

    async fn written(
        &self,
        handler: HandlerName,
        change: PluginChange,
    ) -> Result<(), RegistryError> {
        // What may be done is said first: it must not hang on the history.
        let authorities = self.subscriptions(handler).await?.into_iter();
        let authorities = authorities.map(|one| authority(self, one)).collect();
        self.0.parts.runtime.set_subscriptions(handler, authorities);
        self.0.parts.store.note(&change).await?;
        count(change.slot, change.action, "done");
        tracing::info!(
            plugin = change.slot.as_str(),
            action = change.action.as_str(),
            who = change.who,
            "{}",
            change.detail
        );
        Ok(())
    }
}

/// Tells the runtime of all subscriptions.
pub(crate) async fn take_up(registry: &Registry) -> Result<(), StoreError> {
    let parts = &registry.0.parts;
    let mut by_handler: HashMap<HandlerName, Vec<Authority>> = HashMap::new();
    for subscription in parts.subscriptions.subscriptions().await? {
        let (id, grants) = (&subscription.id, &subscription.settings.grants);
        if let Err(error) = registry.check_enough(id, grants) {
            tracing::error!(subscription = %id, %error, "its events wait");
        }
        let authority = authority(registry, subscription);
        by_handler.entry(authority.id.handler).or_default().push(authority);
    }
    for (handler, authorities) in by_handler {
        parts.runtime.set_subscriptions(handler, authorities);
    }
    Ok(())
}

fn authority(registry: &Registry, subscription: Subscription) -> Authority {
    let Subscription { id, settings, secrets, .. } = subscription;
    let open = |(name, sealed): (String, SealedSecret)| match registry
        .0
        .sealer
        .open(&id, &name, &sealed)
    {
        Ok(secret) => Some((name, secret)),
        Err(_) => {
            tracing::error!(subscription = %id, secret = name, "a secret was not sealed by this host, or was changed in the database; set it again with `pairing-host plugin grant {} --as {} --secret {name}=@FILE`", id.handler, id.name);
            None
        }
    };
    let secrets = secrets.into_iter().filter_map(open).collect();
    Authority { id, settings, secrets }
}

/// What a version would lack, if anything.
fn lack(version: &LoadedVersion, id: &SubscriptionId, grants: &Grants) -> Option<String> {
    let missing = version.missing_grants(grants);
    if missing.is_empty() {
        return None;
    }
    let info = version.info();
    Some(format!(
        "{} {} ({}) imports what subscription `{}` was not granted: {}; give it with \
         `pairing-host plugin grant {} --as {} …`",
        info.name,
        info.version,
        info.digest.short(),
        id.name,
        missing.join(", "),
        id.handler,
        id.name,
    ))
}

fn enough(lacking: Vec<String>) -> Result<(), RegistryError> {
    if lacking.is_empty() {
        return Ok(());
    }
    Err(RegistryError::Refused { gate: "grants", message: lacking.join("; ") })
}
