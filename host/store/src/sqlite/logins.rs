//! Admins, the set-up token and logins.

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    store::{Admin, Login, LoginLimits, LoginStore, Rotation, StoreError},
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::SqliteStore;
use crate::{
    chain::{self, Presented},
    committing::{commit, step},
    error::from_sqlx,
    rows,
};

#[async_trait]
impl LoginStore for SqliteStore {
    async fn admin_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS admins FROM admins")
            .fetch_one(&self.readers)
            .await
            .map_err(from_sqlx)?;
        rows::count("admins", "admins", &row)
    }

    async fn admin(&self, username: &str) -> Result<Option<Admin>, StoreError> {
        sqlx::query("SELECT * FROM admins WHERE username_key = $1")
            .bind(rows::username_key(username))
            .fetch_optional(&self.readers)
            .await
            .map_err(from_sqlx)?
            .as_ref()
            .map(rows::admin)
            .transpose()
    }

    async fn admin_by_id(&self, id: Uuid) -> Result<Option<Admin>, StoreError> {
        sqlx::query("SELECT * FROM admins WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(from_sqlx)?
            .as_ref()
            .map(rows::admin)
            .transpose()
    }

    async fn admins(&self) -> Result<Vec<Admin>, StoreError> {
        sqlx::query("SELECT * FROM admins ORDER BY username_key")
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(rows::admin)
            .collect()
    }

    async fn add_admin(&self, admin: &Admin) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let added = insert_admin(&mut write, admin).await?;
        commit(write, step!("store.login.add-admin")).await?;
        Ok(added)
    }

    async fn claim_setup(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
        admin: &Admin,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
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
    }

    async fn put_setup_token(
        &self,
        token_hash: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO setup_token (one, token_hash, expires_at) VALUES (1, $1, $2)
             ON CONFLICT (one) DO UPDATE SET token_hash = excluded.token_hash,
                 expires_at = excluded.expires_at",
        )
        .bind(&token_hash[..])
        .bind(rows::time(expires_at))
        .execute(&self.writer)
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    async fn set_password(&self, admin: Uuid, password_hash: &str) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
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
    }

    async fn update_password_hash(
        &self,
        admin: Uuid,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE admins SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
        )
        .bind(new)
        .bind(admin.to_string())
        .bind(old)
        .execute(&self.writer)
        .await
        .map_err(from_sqlx)?;
        Ok(changed.rows_affected() == 1)
    }

    async fn remove_admin(&self, admin: Uuid) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM admins WHERE id = $1")
            .bind(admin.to_string())
            .execute(&self.writer)
            .await
            .map_err(from_sqlx)?;
        Ok(removed.rows_affected() == 1)
    }

    async fn add_login(&self, login: &Login) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO logins (id, admin, counter, rotated_at, created_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(login.id.to_string())
        .bind(login.admin.to_string())
        .bind(rows::integer(login.counter))
        .bind(rows::time(login.rotated_at))
        .bind(rows::time(login.created_at))
        .execute(&self.writer)
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    async fn rotate_login(
        &self,
        login: Uuid,
        counter: u64,
        now: Timestamp,
        limits: LoginLimits,
    ) -> Result<Rotation, StoreError> {
        let mut write = self.write().await?;
        let row = sqlx::query("SELECT * FROM logins WHERE id = $1")
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
    }

    async fn revoke_login(&self, login: Uuid) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        end(&mut write, login).await?;
        commit(write, step!("store.login.revoke")).await
    }

    async fn live_logins(&self, logins: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        sqlx::query("SELECT * FROM logins WHERE id IN (SELECT value FROM json_each($1))")
            .bind(rows::json(&logins)?)
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(|row| rows::login(row).map(|login| login.id))
            .collect()
    }

    async fn purge_logins(&self, before: Timestamp) -> Result<u64, StoreError> {
        let gone = sqlx::query("DELETE FROM logins WHERE created_at < $1")
            .bind(rows::time(before))
            .execute(&self.writer)
            .await
            .map_err(from_sqlx)?;
        Ok(gone.rows_affected())
    }
}

/// False if the name is taken.
async fn insert_admin(
    connection: &mut SqliteConnection,
    admin: &Admin,
) -> Result<bool, StoreError> {
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

async fn move_on(connection: &mut SqliteConnection, login: &Login) -> Result<(), StoreError> {
    sqlx::query("UPDATE logins SET counter = $1, rotated_at = $2 WHERE id = $3")
        .bind(rows::integer(login.counter))
        .bind(rows::time(login.rotated_at))
        .bind(login.id.to_string())
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

async fn end(connection: &mut SqliteConnection, login: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM logins WHERE id = $1")
        .bind(login.to_string())
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
