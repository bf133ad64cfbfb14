//! Admins, the set-up token and logins.

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    store::{Admin, Login, LoginLimits, LoginStore, Rotation, StoreError},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::PostgresStore;
use crate::{
    chain::{self, Presented},
    committing::{commit, step},
    error::from_sqlx,
    rows,
};

#[async_trait]
impl LoginStore for PostgresStore {
    async fn admin_count(&self) -> Result<u64, StoreError> {
        self.within(async {
            let row = sqlx::query("SELECT COUNT(*) AS admins FROM admins")
                .fetch_one(&self.pool)
                .await
                .map_err(from_sqlx)?;
            rows::count("admins", "admins", &row)
        })
        .await
    }

    async fn admin(&self, username: &str) -> Result<Option<Admin>, StoreError> {
        self.within(async {
            sqlx::query("SELECT * FROM admins WHERE username_key = $1")
                .bind(rows::username_key(username))
                .fetch_optional(&self.pool)
                .await
                .map_err(from_sqlx)?
                .as_ref()
                .map(rows::admin)
                .transpose()
        })
        .await
    }

    async fn admin_by_id(&self, id: Uuid) -> Result<Option<Admin>, StoreError> {
        self.within(async {
            sqlx::query("SELECT * FROM admins WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.pool)
                .await
                .map_err(from_sqlx)?
                .as_ref()
                .map(rows::admin)
                .transpose()
        })
        .await
    }

    async fn admins(&self) -> Result<Vec<Admin>, StoreError> {
        self.within(async {
            sqlx::query("SELECT * FROM admins ORDER BY username_key")
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(rows::admin)
                .collect()
        })
        .await
    }

    async fn add_admin(&self, admin: &Admin) -> Result<bool, StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            let added = insert_admin(&mut write, admin).await?;
            commit(write, step!("store.login.add-admin")).await?;
            Ok(added)
        })
        .await
    }

    async fn claim_setup(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
        admin: &Admin,
    ) -> Result<bool, StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            // Or an admin added by the command line at this moment would be overlooked.
            sqlx::query("LOCK TABLE admins IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *write)
                .await
                .map_err(from_sqlx)?;
            let spent = sqlx::query(
                "DELETE FROM setup_token WHERE token_hash = $1 AND expires_at > $2
                     AND NOT EXISTS (SELECT 1 FROM admins)",
            )
            .bind(&token_hash[..])
            .bind(rows::time(now))
            .execute(&mut *write)
            .await
            .map_err(from_sqlx)?
            .rows_affected();
            if spent == 0 || !insert_admin(&mut write, admin).await? {
                write.rollback().await.map_err(from_sqlx)?;
                return Ok(false);
            }
            commit(write, step!("store.login.claim-setup")).await?;
            Ok(true)
        })
        .await
    }

    async fn put_setup_token(
        &self,
        token_hash: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.within(async {
            sqlx::query(
                "INSERT INTO setup_token (one, token_hash, expires_at) VALUES (1, $1, $2)
                 ON CONFLICT (one) DO UPDATE SET token_hash = excluded.token_hash,
                     expires_at = excluded.expires_at",
            )
            .bind(&token_hash[..])
            .bind(rows::time(expires_at))
            .execute(&self.pool)
            .await
            .map_err(from_sqlx)?;
            Ok(())
        })
        .await
    }

    async fn set_password(&self, admin: Uuid, password_hash: &str) -> Result<bool, StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            let changed = sqlx::query("UPDATE admins SET password_hash = $1 WHERE id = $2")
                .bind(password_hash)
                .bind(admin.to_string())
                .execute(&mut *write)
                .await
                .map_err(from_sqlx)?
                .rows_affected();
            sqlx::query("DELETE FROM logins WHERE admin = $1")
                .bind(admin.to_string())
                .execute(&mut *write)
                .await
                .map_err(from_sqlx)?;
            commit(write, step!("store.login.set-password")).await?;
            Ok(changed == 1)
        })
        .await
    }

    async fn update_password_hash(
        &self,
        admin: Uuid,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        self.within(async {
            let changed = sqlx::query(
                "UPDATE admins SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
            )
            .bind(new)
            .bind(admin.to_string())
            .bind(old)
            .execute(&self.pool)
            .await
            .map_err(from_sqlx)?;
            Ok(changed.rows_affected() == 1)
        })
        .await
    }

    async fn remove_admin(&self, admin: Uuid) -> Result<bool, StoreError> {
        self.within(async {
            let removed = sqlx::query("DELETE FROM admins WHERE id = $1")
                .bind(admin.to_string())
                .execute(&self.pool)
                .await
                .map_err(from_sqlx)?;
            Ok(removed.rows_affected() == 1)
        })
        .await
    }

    async fn add_login(&self, login: &Login) -> Result<(), StoreError> {
        self.within(async {
            sqlx::query(
                "INSERT INTO logins (id, admin, counter, rotated_at, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(login.id.to_string())
            .bind(login.admin.to_string())
            .bind(rows::integer(login.counter))
            .bind(rows::time(login.rotated_at))
            .bind(rows::time(login.created_at))
            .execute(&self.pool)
            .await
            .map_err(from_sqlx)?;
            Ok(())
        })
        .await
    }

    async fn rotate_login(
        &self,
        login: Uuid,
        counter: u64,
        now: Timestamp,
        limits: LoginLimits,
    ) -> Result<Rotation, StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            let row = sqlx::query("SELECT * FROM logins WHERE id = $1 FOR UPDATE")
                .bind(login.to_string())
                .fetch_optional(&mut *write)
                .await
                .map_err(from_sqlx)?;
            let rotation = match row {
                None => Rotation::Unknown,
                Some(row) => match chain::present(rows::login(&row)?, counter, now, limits) {
                    Presented::Void => Rotation::Unknown,
                    Presented::Again(login) => Rotation::Accepted(login),
                    Presented::Next(login) => {
                        move_on(&mut write, &login).await?;
                        Rotation::Accepted(login)
                    }
                    Presented::Spent => {
                        end(&mut write, login).await?;
                        Rotation::Reused
                    }
                },
            };
            commit(write, step!("store.login.rotate")).await?;
            Ok(rotation)
        })
        .await
    }

    async fn revoke_login(&self, login: Uuid) -> Result<(), StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            end(&mut write, login).await?;
            commit(write, step!("store.login.revoke")).await
        })
        .await
    }

    async fn live_logins(&self, logins: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        self.within(async {
            sqlx::query("SELECT * FROM logins WHERE id = ANY($1)")
                .bind(logins.iter().map(Uuid::to_string).collect::<Vec<_>>())
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(|row| rows::login(row).map(|login| login.id))
                .collect()
        })
        .await
    }

    async fn purge_logins(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.within(async {
            let gone = sqlx::query("DELETE FROM logins WHERE created_at < $1")
                .bind(rows::time(before))
                .execute(&self.pool)
                .await
                .map_err(from_sqlx)?;
            Ok(gone.rows_affected())
        })
        .await
    }
}

/// False if the name is taken.
async fn insert_admin(connection: &mut PgConnection, admin: &Admin) -> Result<bool, StoreError> {
    let added = sqlx::query(
        "INSERT INTO admins (id, username, username_key, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (username_key) DO NOTHING",
    )
    .bind(admin.id.to_string())
    .bind(&admin.username)
    .bind(rows::username_key(&admin.username))
    .bind(&admin.password_hash)
    .bind(rows::time(admin.created_at))
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(added.rows_affected() == 1)
}

async fn move_on(connection: &mut PgConnection, login: &Login) -> Result<(), StoreError> {
    sqlx::query("UPDATE logins SET counter = $1, rotated_at = $2 WHERE id = $3")
        .bind(rows::integer(login.counter))
        .bind(rows::time(login.rotated_at))
        .bind(login.id.to_string())
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

async fn end(connection: &mut PgConnection, login: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM logins WHERE id = $1")
        .bind(login.to_string())
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
