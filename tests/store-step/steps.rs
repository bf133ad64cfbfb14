//! What each step needs beforehand, what it does, and by what its effect is seen.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pairing_core::{
    budget::{Budget, Spent},
    clock::Timestamp,
    delivery_store::{DeadLetter, KvExpected, KvQuota, ProgressChange},
    event::{Cursor, EventData, JournalEvent},
    id::SessionName,
    page_hooks::{HooksChange, HooksReport, HooksVersion},
    plugin::{PluginDigest, Slot},
    plugin_store::{
        Activation, Parked, Pin, PluginAction, PluginChange, PluginFacts, PluginVersion,
    },
    session::{SessionRecord, View},
    store::{Admin, Commit, Login, LoginLimits, RecordedInput, Store, StoreError},
    subscription::{SealedSecret, Subscription, SubscriptionId, SubscriptionSettings},
};
use uuid::Uuid;

type Done<T = ()> = Result<T, StoreError>;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const TOKEN: [u8; 32] = [7; 32];
const QUOTA: KvQuota = KvQuota { keys: 100, bytes: 1 << 20 };

fn ana() -> Admin {
    Admin {
        id: Uuid::from_u128(7),
        username: "ana".into(),
        password_hash: "$argon2id$v=19$old".into(),
        created_at: NOW,
    }
}

fn login() -> Login {
    let id = Uuid::from_u128(9);
    Login { id, admin: ana().id, counter: 1, rotated_at: NOW, created_at: NOW }
}

fn limits() -> LoginLimits {
    let ago = NOW.before(Duration::from_secs(100));
    LoginLimits { idle_since: ago, created_since: ago, grace_since: ago }
}

fn id() -> SubscriptionId {
    SubscriptionId {
        handler: "crm".parse().expect("a good name"),
        name: "one".parse().expect("a good name"),
    }
}

fn session() -> SessionName {
    "sales".parse().expect("a good name")
}

fn subscription(by: &str) -> Subscription {
    Subscription {
        id: id(),
        settings: SubscriptionSettings::default(),
        secrets: BTreeMap::from([("token".to_owned(), SealedSecret(vec![0, 255, 7]))]),
        disabled: None,
        created_at: NOW,
        updated_at: NOW,
        updated_by: by.into(),
    }
}

fn commit() -> Commit {
    Commit {
        record: SessionRecord {
            name: session(),
            view: View::not_started(),
            state: Vec::new(),
            state_schema: 1,
            input_number: 1,
            wake_up_at: None,
            created_at: NOW,
            updated_at: NOW,
        },
        input: RecordedInput {
            number: 1,
            at: NOW,
            digest: digest('0'),
            state_schema: 1,
            fuel: 0,
            input: "{}".into(),
            context: "{}".into(),
            transition: "{}".into(),
        },
        events: vec![told()],
        history: None,
        evidence: None,
        delete: false,
    }
}

fn told() -> EventData {
    EventData::Other { kind: "tick".into(), fields: vec![("number".into(), "1".into())] }
}

fn digest(letter: char) -> PluginDigest {
    PluginDigest(letter.to_string().repeat(64).into())
}

fn version() -> PluginVersion {
    PluginVersion {
        slot: Slot::Workflow,
        digest: digest('a'),
        name: "plugin".into(),
        version: "1.2.3".into(),
        size: 1,
        source: "upload".into(),
        signed_by: None,
        accepted_by: None,
        facts: PluginFacts::default(),
        created_at: NOW,
        created_by: "ana".into(),
    }
}

fn change() -> PluginChange {
    PluginChange {
        slot: Slot::Workflow,
        at: NOW,
        who: "ana".into(),
        action: PluginAction::Activate,
        from: None,
        to: Some(digest('a')),
        share: None,
        why: "a better one".into(),
        refusal: None,
        detail: String::new(),
    }
}

fn hooks() -> HooksVersion {
    HooksVersion {
        digest: "a".repeat(64),
        text: "version = 1".into(),
        pushed_at: NOW,
        report: HooksReport::default(),
    }
}

fn budget() -> Budget {
    Budget { key: "session:one".into(), limit: 1, window: Duration::from_secs(3600) }
}

fn given_up() -> DeadLetter {
    let event = JournalEvent { id: Cursor(3), session: session(), at: NOW, data: told() };
    DeadLetter { event, attempts: 1, reason: "500".into(), at: NOW, requeued_at: None }
}

async fn save(store: &Arc<dyn Store>, cursor: u64, dead: Vec<DeadLetter>) -> Done {
    let epoch = store.progress(&id()).await?.map_or(0, |progress| progress.epoch);
    let change =
        ProgressChange { cursor: Cursor(cursor), dead, epoch, ..ProgressChange::default() };
    store.save_progress(&id(), &change).await.map(drop)
}

pub(crate) async fn prepare(store: &Arc<dyn Store>, step: &str) -> Done {
    match step {
        "store.subscription.put" => {}
        _ if step.starts_with("store.subscription.")
            || step.starts_with("store.delivery.")
            || step.starts_with("store.kv.") =>
        {
            store.put_subscription(&subscription("prepared"), Cursor(0)).await?;
        }
        _ => {}
    }
    match step {
        "store.delivery.requeue" | "store.delivery.purge" | "store.subscription.remove-letters" => {
            save(store, 5, vec![given_up()]).await
        }
        "store.kv.delete" => {
            store.kv_put(&id(), "a", b"1", KvExpected::Anything, QUOTA).await.map(drop)
        }
        "store.login.claim-setup" => {
            store.put_setup_token(&TOKEN, NOW.after(Duration::from_secs(60))).await
        }
        "store.login.set-password" => store.add_admin(&ana()).await.map(drop),
        "store.login.rotate" | "store.login.revoke" => {
            store.add_admin(&ana()).await?;
            store.add_login(&login()).await
        }
        "store.plugin.activate" | "store.plugin.note" | "store.plugin.native-code" => {
            store.add_version(&version(), b"a").await
        }
        "store.plugin.park" => store.commit(&commit()).await.map(drop),
        "store.plugin.pin" => {
            store.add_version(&version(), b"a").await?;
            store.commit(&commit()).await.map(drop)
        }
        "store.hooks.change" => store.put_hooks(&hooks()).await,
        _ => Ok(()),
    }
}

pub(crate) async fn take(store: &Arc<dyn Store>, step: &str) -> Done {
    match step {
        "store.session.commit" => store.commit(&commit()).await.map(drop),
        "store.journal.append" => store.append(&session(), NOW, &[told()]).await.map(drop),
        "store.budget.spend" => store.spend(&[budget()], NOW).await.map(drop),
        "store.hooks.put" => store.put_hooks(&hooks()).await,
        "store.hooks.change" => {
            let change = HooksChange {
                generation: 1,
                at: NOW,
                digest: Some(hooks().digest),
                cause: "activate".into(),
                actor: "ana".into(),
            };
            store.change_hooks(&change).await.map(drop)
        }
        "store.subscription.put" => store.put_subscription(&subscription("ana"), Cursor(4)).await,
        "store.subscription.seek" => store.seek(&id(), Cursor(9)).await.map(drop),
        "store.subscription.set-disabled" => {
            store.set_disabled(&id(), Some("it rests")).await.map(drop)
        }
        "store.subscription.remove" | "store.subscription.remove-letters" => {
            store.remove_subscription(&id()).await.map(drop)
        }
        "store.delivery.progress" => save(store, 8, vec![given_up()]).await,
        "store.delivery.requeue" => store.requeue(&id(), Cursor(0), Cursor(9), NOW).await.map(drop),
        "store.delivery.purge" => {
            store.purge_dead_letters(NOW.after(Duration::from_secs(1))).await.map(drop)
        }
        "store.kv.put" => {
            store.kv_put(&id(), "a", b"1", KvExpected::Anything, QUOTA).await.map(drop)
        }
        "store.kv.delete" => store.kv_delete(&id(), "a").await.map(drop),
        "store.login.add-admin" => store.add_admin(&ana()).await.map(drop),
        "store.login.claim-setup" => store.claim_setup(&TOKEN, NOW, &ana()).await.map(drop),
        "store.login.set-password" => {
            store.set_password(ana().id, "$argon2id$v=19$new").await.map(drop)
        }
        "store.login.rotate" => store.rotate_login(login().id, 1, NOW, limits()).await.map(drop),
        "store.login.revoke" => store.revoke_login(login().id).await,
        "store.plugin.add-version" => store.add_version(&version(), b"a").await,
        "store.plugin.activate" => {
            let activation = Activation {
                change: change(),
                expected: None,
                active: digest('a'),
                canary: None,
                pins: Vec::new(),
            };
            store.activate(&activation).await.map(drop)
        }
        "store.plugin.note" => store.note(&change()).await.map(drop),
        "store.plugin.native-code" => store.put_native_code(&digest('a'), "x", b"code").await,
        "store.plugin.park" => {
            let parked = Parked {
                slot: Slot::Workflow,
                session: session(),
                at: NOW,
                what: "command:init".into(),
                reason: "it trapped".into(),
                input: None,
                context: None,
            };
            store.park(&parked).await
        }
        "store.plugin.pin" => {
            let pin =
                Pin { session: session(), digest: digest('a'), why: "it lags".into(), at: NOW };
            store.pin(&pin).await
        }
        other => Err(StoreError::Refused(format!("no step is called {other}"))),
    }
}

pub(crate) async fn look(store: &Arc<dyn Store>, step: &str) -> Done<bool> {
    Ok(match step {
        "store.session.commit" => {
            let (row, journal) = (store.sessions().await?, store.read(Cursor(0), 9).await?);
            // All or nothing.
            assert_eq!(row.len(), journal.len(), "the row and its event belong together");
            !row.is_empty()
        }
        "store.journal.append" => !store.read(Cursor(0), 9).await?.is_empty(),
        "store.budget.spend" => {
            matches!(store.spend(&[budget()], NOW).await?, Spent::UsedUp { .. })
        }
        "store.hooks.put" => !store.hooks().await?.is_empty(),
        "store.hooks.change" => !store.hooks_changes().await?.is_empty(),
        "store.subscription.put" => {
            let all = store.subscriptions().await?;
            assert!(all.iter().all(|one| one.secrets.len() == 1), "its secrets came with it");
            !all.is_empty()
        }
        "store.subscription.seek" => {
            store.progress(&id()).await?.is_some_and(|progress| progress.cursor == Cursor(9))
        }
        "store.subscription.set-disabled" => store.subscriptions().await?[0].disabled.is_some(),
        "store.subscription.remove" => store.subscriptions().await?.is_empty(),
        "store.subscription.remove-letters" => store.count_dead_letters(&id()).await? == 0,
        "store.delivery.progress" => {
            let cursor = store.progress(&id()).await?.map(|progress| progress.cursor);
            let letters = store.count_dead_letters(&id()).await?;
            assert_eq!(cursor == Some(Cursor(8)), letters == 1, "place and letters are one");
            letters == 1
        }
        "store.delivery.requeue" => !store.requeued(&id(), 9).await?.is_empty(),
        "store.delivery.purge" => store.count_dead_letters(&id()).await? == 0,
        "store.kv.put" => store.kv_get(&id(), "a").await?.is_some(),
        "store.kv.delete" => store.kv_get(&id(), "a").await?.is_none(),
        "store.login.add-admin" | "store.login.claim-setup" => store.admin_count().await? == 1,
        "store.login.set-password" => {
            store.admin("ana").await?.is_some_and(|ana| ana.password_hash.ends_with("new"))
        }
        "store.login.rotate" => {
            // Presented again it gives the same successor; a first time it makes one.
            let ago = NOW.after(Duration::from_secs(60));
            let strict = LoginLimits { grace_since: ago, ..limits() };
            let again = store.rotate_login(login().id, 1, NOW, strict).await?;
            matches!(again, pairing_core::store::Rotation::Reused)
        }
        "store.login.revoke" => store.live_logins(&[login().id]).await?.is_empty(),
        "store.plugin.add-version" => store.component(&digest('a')).await?.is_some(),
        "store.plugin.activate" => !store.slots().await?.is_empty(),
        "store.plugin.note" => !store.changes(Slot::Workflow, None, 9).await?.is_empty(),
        "store.plugin.native-code" => store.native_code(&digest('a'), "x").await?.is_some(),
        "store.plugin.park" => !store.parked(Slot::Workflow, 9).await?.is_empty(),
        "store.plugin.pin" => !store.pins().await?.is_empty(),
        other => return Err(StoreError::Refused(format!("no step is called {other}"))),
    })
}
