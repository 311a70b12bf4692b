//! Argon2id on blocking threads, a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use tokio::sync::Semaphore;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hashing itself failed.
    #[error("hashing a password failed: {0}")]
    Hash(String),
    /// The blocking thread is gone.
    #[error("the hashing thread ended early")]
    Thread,
}

/// Hashes and checks passwords. Each takes 19 MiB and some tens of milliseconds of a core, so only two run at
/// once; the others wait.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// What an unknown user's password is compared with, so that guessing names takes as long as guessing
    /// passwords.
    nobody: Arc<OnceLock<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(2)), nobody: Arc::default() }
    }
}

impl Passwords {
    /// The longest password that is looked at, bytes.
    pub const MAX_BYTES: usize = 256;
    /// The shortest password a person may choose, characters.
    pub const MIN_CHARS: usize = 8;

    /// Hashes `password`.
    ///
    /// # Errors
    /// When the machine is out of memory.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.blocking(move || hash(&password)).await
    }

    /// Whether `password` is the one behind `stored`; `None` for an unknown user takes as long and is false.
    ///
    /// # Errors
    /// When the stored hash is damaged.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        let nobody = Arc::clone(&self.nobody);
        self.blocking(move || {
            let known = stored.is_some();
            let stored = match stored {
                Some(stored) => stored,
                None => match nobody.get() {
                    Some(hash) => hash.clone(),
                    None => nobody.get_or_init(|| hash("nobody has this password").unwrap_or_default()).clone(),
                },
            };
            let parsed = PasswordHash::new(&stored).map_err(|e| PasswordError::Hash(e.to_string()))?;
            let fits = password.len() <= Self::MAX_BYTES
                && Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(known && fits)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _turn = self.turns.acquire().await.map_err(|_| PasswordError::Thread)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Thread)?
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let failed = |e: argon2::password_hash::Error| PasswordError::Hash(e.to_string());
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// A password that is easy to type from a screen: 20 characters without look-alikes, about 98 bits.
pub fn generate() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    rand::random::<[u8; 20]>().iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_checked_and_an_unknown_user_is_nobody() {
        let passwords = Passwords::default();
        let hash = passwords.hash("工地-secret-1".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("工地-secret-1".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("工地-secret-2".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody has this password".into(), None).await.unwrap());
    }

    #[test]
    fn generated_passwords_differ() {
        assert_eq!(generate().len(), 20);
        assert_ne!(generate(), generate());
    }
}
