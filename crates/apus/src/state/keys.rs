//! Keys that the service generates once and keeps.

use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretSlice};
use sqlx::Row as _;

use super::{Action, State, StateError, now};

impl State {
    /// The key that signs JWTs: 32 random bytes, generated at the first call.
    pub(crate) async fn jwt_key(&self) -> Result<SecretSlice<u8>, StateError> {
        let read = "SELECT value FROM keys WHERE name = 'jwt'";
        if let Some(row) = sqlx::query(read).fetch_optional(&self.pool).await? {
            return Ok(row.try_get::<Vec<u8>, _>(0)?.into());
        }
        let mut key = vec![0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| StateError::NoRandom)?;
        let key: SecretSlice<u8> = key.into();
        let mut tx = self.begin().await?;
        // Another process may have generated one meanwhile: the first one stays.
        let added =
            sqlx::query("INSERT INTO keys (name, value, created_at) VALUES ('jwt', ?, ?) ON CONFLICT DO NOTHING")
                .bind(key.expose_secret())
                .bind(now())
                .execute(&mut *tx)
                .await?;
        if added.rows_affected() > 0 {
            Self::record(&mut tx, Action::KeyMade, "", "jwt").await?;
        }
        let kept: Vec<u8> = sqlx::query(read).fetch_one(&mut *tx).await?.try_get(0)?;
        tx.commit().await?;
        Ok(kept.into())
    }
}
