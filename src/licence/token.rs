//! What a vendor signs (PASETO v4.public), and whether it holds on this machine of this store.

use jiff::Timestamp;
use pasetors::Public;
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, SecretKey};
use super::terms::{Grant, Terms};

/// What a licence allows.
pub const OPTION: &str = "backup-server";
/// Bytes of the longest text that is looked at.
pub const LONGEST: usize = 16 * 1024;
/// What a token of another kind cannot be taken for.
const PURPOSE: &[u8] = b"espejo licence 1";

/// What a vendor signs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The name of the store.
    pub store: String,
    /// The machine in it.
    pub machine: String,
    /// What is allowed.
    pub option: String,
    /// On what terms.
    #[serde(flatten)]
    pub terms: Terms,
    /// When it was signed.
    pub issued: Timestamp,
}

/// Whose signature it is.
#[derive(Serialize, Deserialize)]
struct Footer {
    kid: String,
}

/// Why a licence does not hold here. The sentences, and what to do, stand in `words`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// The text is no licence at all.
    #[error("this is no licence")]
    NoLicence,
    /// It is not as it was signed.
    #[error("this licence is damaged")]
    Damaged,
    /// Another vendor has signed it.
    #[error("signed with {theirs}, expected {ours}")]
    OtherVendor {
        /// The name of the key that signed it.
        theirs: String,
        /// The name of the key that counts.
        ours: String,
    },
    /// It is for another store.
    #[error("for store {theirs}, not {ours}")]
    OtherStore {
        /// That one.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// It is for another machine.
    #[error("for machine {theirs}, not {ours}")]
    OtherMachine {
        /// That one.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// It allows something else.
    #[error("for {option}")]
    OtherOption {
        /// What.
        option: String,
    },
    /// Its terms cannot be meant.
    #[error("its terms are none")]
    BadTerms,
}

/// Signs `claims`: the licence, as a line of text.
pub fn sign(claims: &Claims, key: &SecretKey) -> Result<String, TokenError> {
    if !claims.terms.is_sound() {
        return Err(TokenError::BadTerms);
    }
    let public = key.public().map_err(|_| TokenError::Damaged)?;
    let footer = serde_json::to_vec(&Footer { kid: public.id() }).map_err(|_| TokenError::Damaged)?;
    let payload = serde_json::to_vec(claims).map_err(|_| TokenError::Damaged)?;
    PublicToken::sign(&key.0, &payload, Some(&footer), Some(PURPOSE)).map_err(|_| TokenError::Damaged)
}

/// What the licence in `text` grants to `machine` of `store`, if it is signed with `key`.
pub fn verify(text: &str, key: &PublicKey, store: &str, machine: &str) -> Result<Grant, TokenError> {
    let text = text.trim();
    if text.len() > LONGEST || !text.starts_with(PublicToken::HEADER) {
        return Err(TokenError::NoLicence);
    }
    let token = UntrustedToken::<Public, V4>::try_from(text).map_err(|_| TokenError::Damaged)?;
    let footer: Footer = serde_json::from_slice(token.untrusted_footer()).map_err(|_| TokenError::Damaged)?;
    if footer.kid != key.id() {
        // Only where it could be one: a letter that has changed is no vendor.
        let is_name = footer.kid.strip_prefix("k4.pid.").is_some_and(|name| name.len() == 44 && name.is_ascii());
        let other = TokenError::OtherVendor { theirs: footer.kid, ours: key.id() };
        return Err(if is_name { other } else { TokenError::Damaged });
    }
    PublicToken::verify(&key.0, &token, None, Some(PURPOSE)).map_err(|_| TokenError::Damaged)?;
    let payload = token.untrusted_payload();
    let claims: Claims = serde_json::from_slice(payload).map_err(|_| TokenError::Damaged)?;
    let ours = |ours: &str| ours.to_owned();
    if claims.store != store {
        return Err(TokenError::OtherStore { theirs: claims.store, ours: ours(store) });
    }
    if claims.machine != machine {
        return Err(TokenError::OtherMachine { theirs: claims.machine, ours: ours(machine) });
    }
    if claims.option != OPTION {
        return Err(TokenError::OtherOption { option: claims.option });
    }
    if !claims.terms.is_sound() {
        return Err(TokenError::BadTerms);
    }
    // What was signed, however the text around it is written.
    let id = blake3::hash(payload).to_hex().to_string();
    Ok(Grant { id, terms: claims.terms, issued: Some(claims.issued) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::terms::Per;

    fn claims() -> Claims {
        let terms = Terms { days: 10, per: Per::Activation, grace_hours: None };
        let (store, machine) = ("Centro".to_owned(), "ab".repeat(32));
        Claims { store, machine, option: OPTION.to_owned(), terms, issued: Timestamp::UNIX_EPOCH }
    }

    fn signed(claims: &Claims) -> (String, PublicKey) {
        let key = SecretKey::generate().unwrap();
        (sign(claims, &key).unwrap(), key.public().unwrap())
    }

    #[test]
    fn what_was_signed_is_granted_to_whom_it_names() {
        let claims = claims();
        let (text, key) = signed(&claims);
        let grant = verify(&format!("{text}\n"), &key, "Centro", &claims.machine).unwrap();
        assert_eq!((grant.terms, grant.issued), (claims.terms, Some(claims.issued)));
        let longer = Claims { terms: Terms { days: 11, grace_hours: Some(24), ..claims.terms }, ..claims.clone() };
        let (text, key) = signed(&longer);
        let other = verify(&text, &key, "Centro", &claims.machine).unwrap();
        assert_eq!(other.terms.grace_hours, Some(24));
        assert_ne!(other.id, grant.id);
    }

    #[test]
    fn each_reason_against_it_has_its_name() {
        let claims = claims();
        let (text, key) = signed(&claims);
        let of = |store: &str, machine: &str| verify(&text, &key, store, machine).unwrap_err();
        assert!(matches!(of("Norte", &claims.machine), TokenError::OtherStore { .. }));
        assert!(matches!(of("Centro", &"cd".repeat(32)), TokenError::OtherMachine { .. }));
        let stranger = SecretKey::generate().unwrap().public().unwrap();
        let strange = verify(&text, &stranger, "Centro", &claims.machine).unwrap_err();
        assert_eq!(strange, TokenError::OtherVendor { theirs: key.id(), ours: stranger.id() });
        for none in ["", "v4.local.AAAA", "hello", &"v4.public.".repeat(10_000)] {
            assert_eq!(verify(none, &key, "Centro", &claims.machine), Err(TokenError::NoLicence));
        }
        let (text, key) = signed(&Claims { option: "drive-through".to_owned(), ..claims.clone() });
        let other = verify(&text, &key, "Centro", &claims.machine);
        assert_eq!(other, Err(TokenError::OtherOption { option: "drive-through".to_owned() }));
        let none = Claims { terms: Terms { days: 0, ..claims.terms }, ..claims };
        assert_eq!(sign(&none, &SecretKey::generate().unwrap()), Err(TokenError::BadTerms));
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused() {
        let claims = claims();
        let (text, key) = signed(&claims);
        for at in 0..text.len() {
            for letter in "AaZz09-_.=! \n~B".bytes() {
                let mut bytes = text.clone().into_bytes();
                if bytes[at] == letter {
                    continue;
                }
                bytes[at] = letter;
                let changed = String::from_utf8(bytes).unwrap();
                let at_the_end = changed.trim().len() < text.len();
                let refused = verify(&changed, &key, "Centro", &claims.machine);
                assert!(refused.is_err(), "{at} {:?} {at_the_end} {changed}", char::from(letter));
            }
            assert!(verify(&text[..at], &key, "Centro", &claims.machine).is_err(), "cut at {at}");
        }
        for more in ["A", ".", ".AAAA", "=", "\u{0}"] {
            assert!(verify(&format!("{text}{more}"), &key, "Centro", &claims.machine).is_err(), "{more:?}");
        }
    }
}
