//! A vendor's keys, as they are written: `k4.secret.…` and `k4.public.…` (PASERK).

use pasetors::keys::{AsymmetricKeyPair, AsymmetricPublicKey, AsymmetricSecretKey, Generate};
use pasetors::paserk::{FormatAsPaserk, Id};
use pasetors::version4::V4;

/// The text is no such key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is no such key")]
pub struct NoKey;

/// What signs.
#[derive(Debug)]
pub struct SecretKey(pub(super) AsymmetricSecretKey<V4>);

/// What everybody may know.
#[derive(Clone, PartialEq, Debug)]
pub struct PublicKey(pub(super) AsymmetricPublicKey<V4>);

impl SecretKey {
    /// A new one.
    pub fn generate() -> Result<Self, NoKey> {
        AsymmetricKeyPair::<V4>::generate().map(|pair| Self(pair.secret)).map_err(|_| NoKey)
    }

    /// Reads one as it is written.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let text = text.trim();
        // A key of zeros is none, and the library does not bear it.
        if text.strip_prefix("k4.secret.").is_none_or(|key| key.starts_with(&"A".repeat(42))) {
            return Err(NoKey);
        }
        AsymmetricSecretKey::<V4>::try_from(text).map(Self).map_err(|_| NoKey)
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        written(&self.0)
    }

    /// What everybody may know of it.
    pub fn public(&self) -> Result<PublicKey, NoKey> {
        AsymmetricPublicKey::try_from(&self.0).map(PublicKey).map_err(|_| NoKey)
    }
}

impl PublicKey {
    /// Reads one as it is written.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        AsymmetricPublicKey::<V4>::try_from(text.trim()).map(Self).map_err(|_| NoKey)
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        written(&self.0)
    }

    /// Its name: `k4.pid.…`
    #[must_use]
    pub fn id(&self) -> String {
        written(&Id::from(&self.0))
    }
}

fn written(key: &impl FormatAsPaserk) -> String {
    let mut text = String::new();
    // A string takes whatever is written to it.
    let _ = key.fmt(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let secret = SecretKey::generate().unwrap();
        let public = secret.public().unwrap();
        assert!(secret.text().starts_with("k4.secret.") && public.text().starts_with("k4.public."));
        assert_eq!(SecretKey::parse(&format!("{}\n", secret.text())).unwrap().public().unwrap(), public);
        assert_eq!(PublicKey::parse(&public.text()).unwrap(), public);
        assert!(public.id().starts_with("k4.pid."));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let (one, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let public = one.public().unwrap().text();
        for text in ["", "k4.secret.", "k4.public.AAAA", &public, &one.text()[..60]] {
            assert_eq!(SecretKey::parse(text).unwrap_err(), NoKey, "{text}");
        }
        assert_eq!(PublicKey::parse(&one.text()), Err(NoKey));
        assert_eq!(SecretKey::parse(&format!("k4.secret.{}", "A".repeat(86))).unwrap_err(), NoKey);
        // Its second half is the public key.
        let (text, theirs) = (one.text(), other.text());
        assert_eq!(SecretKey::parse(&format!("{}{}", &text[..54], &theirs[54..])).unwrap_err(), NoKey);
    }
}
