//! Admins, set-up, and the chain of refresh tokens.

use std::{collections::BTreeSet, sync::Arc};

use pairing_core::{
    clock::Timestamp,
    store::{Admin, Login, LoginLimits, Rotation, Store},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{at, patiently};

fn admin(username: &str) -> Admin {
    Admin {
        id: Uuid::new_v4(),
        username: username.to_owned(),
        password_hash: "$argon2id$v=19$not-a-real-one".to_owned(),
        created_at: at(0),
    }
}

fn login(admin: &Admin) -> Login {
    Login { id: Uuid::new_v4(), admin: admin.id, counter: 1, rotated_at: at(0), created_at: at(0) }
}

/// 100 s of idleness, 1,000 s of life, 10 s of grace.
fn limits(now: Timestamp) -> LoginLimits {
    let ago = |seconds| now.before(std::time::Duration::from_secs(seconds));
    LoginLimits { idle_since: ago(100), created_since: ago(1_000), grace_since: ago(10) }
}

async fn signed_in(store: &Arc<dyn Store>) -> (Admin, Login) {
    let admin = admin("ana");
    assert!(store.add_admin(&admin).await.unwrap());
    let login = login(&admin);
    store.add_login(&login).await.unwrap();
    (admin, login)
}

async fn present(store: &Arc<dyn Store>, login: &Login, counter: u64, now: u64) -> Rotation {
    let now = at(now);
    store.rotate_login(login.id, counter, now, limits(now)).await.unwrap()
}

pub async fn usernames_are_unique_without_case(store: Arc<dyn Store>) {
    let (zoe, ana) = (admin("Zoë"), admin("ana"));
    assert_eq!(store.admin_count().await.unwrap(), 0);
    assert!(store.add_admin(&zoe).await.unwrap());
    assert!(store.add_admin(&ana).await.unwrap());
    assert!(!store.add_admin(&admin("ZOË")).await.unwrap());
    assert_eq!(store.admin("zoË").await.unwrap(), Some(zoe.clone()));
    assert_eq!(store.admin("nobody").await.unwrap(), None);
    assert_eq!(store.admin_by_id(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(store.admin_by_id(Uuid::new_v4()).await.unwrap(), None);
    assert_eq!(store.admins().await.unwrap(), [ana, zoe]);
    assert_eq!(store.admin_count().await.unwrap(), 2);
}

pub async fn set_up_is_claimed_once(store: Arc<dyn Store>) {
    let hash = [7; 32];
    store.put_setup_token(&hash, at(60)).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..50 {
        let store = Arc::clone(&store);
        let admin = admin(&format!("admin-{caller}"));
        callers.spawn(async move {
            patiently(|| store.claim_setup(&hash, at(1), &admin)).await.unwrap()
        });
    }
    let claimed = callers.join_all().await.into_iter().filter(|claimed| *claimed).count();
    assert_eq!(claimed, 1);
    assert_eq!(store.admin_count().await.unwrap(), 1);
    // A new token does not help once there is an admin.
    store.put_setup_token(&[8; 32], at(60)).await.unwrap();
    assert!(!store.claim_setup(&[8; 32], at(1), &admin("late")).await.unwrap());
}

pub async fn a_wrong_or_expired_set_up_token_is_refused(store: Arc<dyn Store>) {
    let ana = admin("ana");
    assert!(!store.claim_setup(&[1; 32], at(0), &ana).await.unwrap());
    store.put_setup_token(&[1; 32], at(60)).await.unwrap();
    store.put_setup_token(&[2; 32], at(60)).await.unwrap();
    assert!(!store.claim_setup(&[1; 32], at(0), &ana).await.unwrap(), "it was replaced");
    assert!(!store.claim_setup(&[2; 32], at(60), &ana).await.unwrap(), "it expired");
    assert_eq!(store.admin_count().await.unwrap(), 0);
    assert!(store.claim_setup(&[2; 32], at(59), &ana).await.unwrap());
    assert_eq!(store.admin("ana").await.unwrap(), Some(ana));
}

pub async fn racing_renewals_make_one_chain(store: Arc<dyn Store>) {
    let (_, login) = signed_in(&store).await;
    for counter in 1..=3 {
        let mut tabs = JoinSet::new();
        for _ in 0..50 {
            let (store, login) = (Arc::clone(&store), login.clone());
            let now = at(counter);
            tabs.spawn(async move {
                patiently(|| store.rotate_login(login.id, counter, now, limits(now))).await.unwrap()
            });
        }
        for rotation in tabs.join_all().await {
            let expected = Login { counter: counter + 1, rotated_at: at(counter), ..login.clone() };
            assert_eq!(rotation, Rotation::Accepted(expected));
        }
    }
}

pub async fn a_spent_token_is_accepted_again_within_grace_only(store: Arc<dyn Store>) {
    let (admin, first) = signed_in(&store).await;
    let next = Login { counter: 2, rotated_at: at(5), ..first.clone() };
    assert_eq!(present(&store, &first, 1, 5).await, Rotation::Accepted(next.clone()));
    // The answer was lost: the same successor, not a second one.
    assert_eq!(present(&store, &first, 1, 14).await, Rotation::Accepted(next));
    // The successor is used: now the old token is spent for good.
    assert!(matches!(present(&store, &first, 2, 14).await, Rotation::Accepted(_)));
    assert_eq!(present(&store, &first, 1, 14).await, Rotation::Reused);

    let late = login(&admin);
    store.add_login(&late).await.unwrap();
    assert!(matches!(present(&store, &late, 1, 5).await, Rotation::Accepted(_)));
    assert_eq!(present(&store, &late, 1, 15).await, Rotation::Reused, "grace is over");
}

pub async fn a_reused_token_ends_the_login(store: Arc<dyn Store>) {
    let (admin, stolen) = signed_in(&store).await;
    let other = login(&admin);
    store.add_login(&other).await.unwrap();
    for counter in 1..=3 {
        assert!(matches!(present(&store, &stolen, counter, 1).await, Rotation::Accepted(_)));
    }
    assert_eq!(present(&store, &stolen, 1, 2).await, Rotation::Reused);
    assert_eq!(present(&store, &stolen, 4, 2).await, Rotation::Unknown, "the whole chain ends");
    assert_eq!(store.live_logins(&[stolen.id, other.id]).await.unwrap(), [other.id]);
    // A token that was never handed out says nothing about theft.
    assert_eq!(present(&store, &other, 9, 2).await, Rotation::Unknown);
    assert_eq!(present(&store, &other, u64::MAX, 2).await, Rotation::Unknown);
    assert!(matches!(present(&store, &other, 1, 2).await, Rotation::Accepted(_)));
}

pub async fn idle_and_old_logins_are_void(store: Arc<dyn Store>) {
    let (admin, idle) = signed_in(&store).await;
    assert_eq!(present(&store, &idle, 1, 101).await, Rotation::Unknown);

    let old = login(&admin);
    store.add_login(&old).await.unwrap();
    for counter in 1..=10 {
        assert!(matches!(
            present(&store, &old, counter, counter * 100).await,
            Rotation::Accepted(_)
        ));
    }
    assert_eq!(present(&store, &old, 11, 1_001).await, Rotation::Unknown);
    assert_eq!(present(&store, &login(&admin), 1, 0).await, Rotation::Unknown);
}

pub async fn a_new_password_ends_all_logins(store: Arc<dyn Store>) {
    let (ana, first) = signed_in(&store).await;
    let (second, bob) = (login(&ana), admin("bob"));
    store.add_login(&second).await.unwrap();
    store.add_admin(&bob).await.unwrap();
    let of_bob = login(&bob);
    store.add_login(&of_bob).await.unwrap();
    assert!(store.set_password(ana.id, "new hash").await.unwrap());
    assert_eq!(store.admin("ana").await.unwrap().unwrap().password_hash, "new hash");
    let all = [first.id, second.id, of_bob.id];
    assert_eq!(store.live_logins(&all).await.unwrap(), [of_bob.id]);
    assert_eq!(present(&store, &first, 1, 1).await, Rotation::Unknown);
    assert!(!store.set_password(Uuid::new_v4(), "x").await.unwrap());
}

pub async fn a_new_hash_of_the_same_password_ends_no_login(store: Arc<dyn Store>) {
    let (ana, login) = signed_in(&store).await;
    let (old, bob) = (ana.password_hash.as_str(), admin("bob"));
    store.add_admin(&bob).await.unwrap();
    assert!(store.update_password_hash(ana.id, old, "newer").await.unwrap());
    assert_eq!(store.admin("ana").await.unwrap().unwrap().password_hash, "newer");
    assert_eq!(store.admin("bob").await.unwrap(), Some(bob), "another has the same hash");
    assert_eq!(store.live_logins(&[login.id]).await.unwrap(), [login.id]);
    // Another sign-in, or a new password, came first.
    assert!(!store.update_password_hash(ana.id, old, "late").await.unwrap());
    assert_eq!(store.admin("ana").await.unwrap().unwrap().password_hash, "newer");
    assert!(!store.update_password_hash(Uuid::new_v4(), old, "x").await.unwrap());
}

pub async fn removing_an_admin_ends_their_logins(store: Arc<dyn Store>) {
    let (ana, login) = signed_in(&store).await;
    assert!(store.remove_admin(ana.id).await.unwrap());
    assert!(!store.remove_admin(ana.id).await.unwrap());
    assert_eq!(store.admin("ana").await.unwrap(), None);
    assert!(store.live_logins(&[login.id]).await.unwrap().is_empty());
}

pub async fn live_logins_are_told_apart(store: Arc<dyn Store>) {
    let (ana, first) = signed_in(&store).await;
    let others: Vec<Login> = (0..5).map(|_| login(&ana)).collect();
    for other in &others {
        store.add_login(other).await.unwrap();
    }
    store.revoke_login(others[0].id).await.unwrap();
    store.revoke_login(others[0].id).await.expect("ending twice is fine");
    let asked = [first.id, others[0].id, others[3].id, Uuid::new_v4()];
    let live: BTreeSet<Uuid> = store.live_logins(&asked).await.unwrap().into_iter().collect();
    assert_eq!(live, BTreeSet::from([first.id, others[3].id]));
    assert!(store.live_logins(&[]).await.unwrap().is_empty());
}

pub async fn old_logins_are_purged(store: Arc<dyn Store>) {
    let (ana, old) = signed_in(&store).await;
    let new = Login { created_at: at(50), rotated_at: at(50), ..login(&ana) };
    store.add_login(&new).await.unwrap();
    assert_eq!(store.purge_logins(at(50)).await.unwrap(), 1);
    assert_eq!(store.live_logins(&[old.id, new.id]).await.unwrap(), [new.id]);
}
