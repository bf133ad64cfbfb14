//! Writing subscriptions.

use pairing_core::{event::Cursor, store::StoreError, subscription::Subscription};
use sqlx::PgConnection;

use crate::{
    error::from_sqlx,
    rows::{
        self, deliveries as delivery_rows,
        plugins::{optional_plain, plain},
    },
};

pub(super) async fn put(
    connection: &mut PgConnection,
    subscription: &Subscription,
    from: Cursor,
) -> Result<(), StoreError> {
    let (handler, name) = (subscription.id.handler.as_str(), subscription.id.name.as_str());
    sqlx::query(delivery_rows::PUT_SUBSCRIPTION)
        .bind(handler)
        .bind(name)
        .bind(rows::json(&subscription.settings)?)
        .bind(optional_plain(subscription.disabled.as_ref()))
        .bind(rows::integer(from.0))
        .bind(delivery_rows::new_epoch())
        .bind(rows::time(subscription.created_at))
        .bind(rows::time(subscription.updated_at))
        .bind(plain(&subscription.updated_by))
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    for statement in [delivery_rows::MAKE_KV_TOTALS, delivery_rows::FORGET_SECRETS] {
        sqlx::query(statement)
            .bind(handler)
            .bind(name)
            .execute(&mut *connection)
            .await
            .map_err(from_sqlx)?;
    }
    let (secrets, sealed): (Vec<_>, Vec<_>) =
        subscription.secrets.iter().map(|(secret, sealed)| (secret, &sealed.0)).unzip();
    sqlx::query(
        "INSERT INTO subscription_secrets (handler, name, secret, sealed)
         SELECT $1, $2, * FROM UNNEST($3::TEXT[], $4::BYTEA[])",
    )
    .bind(handler)
    .bind(name)
    .bind(secrets)
    .bind(sealed)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
