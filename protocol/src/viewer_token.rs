//! Viewer tokens: short-lived permission to watch one camera.
//!
//! The control plane signs them, the gateway checks them, and neither asks the other. The form is
//! `base64url(camera "." expiry) "." base64url(HMAC-SHA256)`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{CameraId, Timestamp};

/// The key both sides share; at least 32 random bytes.
#[derive(Clone)]
pub struct ViewerKey(Vec<u8>);

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not a token of ours.
    #[error("the viewer token is not valid")]
    Invalid,
    /// Too old.
    #[error("the viewer token has expired")]
    Expired,
    /// For another camera.
    #[error("the viewer token is for another camera")]
    OtherCamera,
}

impl ViewerKey {
    /// Wraps a key.
    pub fn new(key: impl Into<Vec<u8>>) -> Self {
        Self(key.into())
    }

    /// Signs permission to watch `camera` until `expires`.
    pub fn sign(&self, camera: CameraId, expires: Timestamp) -> String {
        let claim = format!("{camera}.{}", expires.as_micros());
        let mac = self.mac(claim.as_bytes()).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(claim), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Checks that `token` allows watching `camera` at `now`.
    ///
    /// # Errors
    /// When it is forged, expired or for another camera.
    pub fn verify(&self, token: &str, camera: CameraId, now: Timestamp) -> Result<(), TokenRefused> {
        let (claim, mac) = token.split_once('.').ok_or(TokenRefused::Invalid)?;
        let claim = URL_SAFE_NO_PAD.decode(claim).map_err(|_| TokenRefused::Invalid)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| TokenRefused::Invalid)?;
        self.mac(&claim).verify_slice(&mac).map_err(|_| TokenRefused::Invalid)?;
        let claim = std::str::from_utf8(&claim).map_err(|_| TokenRefused::Invalid)?;
        let (id, expires) = claim.split_once('.').ok_or(TokenRefused::Invalid)?;
        let expires = expires.parse().map(Timestamp::from_micros).map_err(|_| TokenRefused::Invalid)?;
        if now >= expires {
            return Err(TokenRefused::Expired);
        }
        if id != camera.to_string() {
            return Err(TokenRefused::OtherCamera);
        }
        Ok(())
    }

    fn mac(&self, claim: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(claim);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_camera_and_a_while() {
        let (key, now) = (ViewerKey::new(*b"0123456789abcdef0123456789abcdef"), Timestamp::from_secs(100));
        let camera = CameraId::new(now);
        let token = key.sign(camera, Timestamp::from_secs(160));
        assert_eq!(key.verify(&token, camera, now), Ok(()));
        assert_eq!(key.verify(&token, camera, Timestamp::from_secs(160)), Err(TokenRefused::Expired));
        assert_eq!(key.verify(&token, CameraId::new(now), now), Err(TokenRefused::OtherCamera));
        assert_eq!(ViewerKey::new(*b"x").verify(&token, camera, now), Err(TokenRefused::Invalid));
        for rubbish in ["", ".", "a.b", "….…"] {
            assert_eq!(key.verify(rubbish, camera, now), Err(TokenRefused::Invalid));
        }
    }
}
