//! The proof of an epoch: the signature of the machine that took it. Whoever knows the store and its two machines can examine
//! it, and nobody else can make one.

use std::fmt;

use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_ecdsa_type};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::sign::public_key_to_spki;
use serde::{Deserialize, Serialize};

use super::identity::{Identity, MachineId};

/// What is signed begins so: no signature that was made for anything else can pass for a proof.
const DOMAIN: &[u8; 24] = b"espejo: proof of epoch 1";

/// How machines sign.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

/// Bytes of a public key: a point, uncompressed.
const POINT: usize = 65;

/// Which store it is, for ever: the machine that was its main when the first two joined. Names may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreId(MachineId);

/// That a machine has taken an epoch of a store, and after which generation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The epoch.
    pub epoch: u64,
    /// Generations before it.
    pub start: u64,
    /// The certificate of the machine that took it.
    #[serde(with = "hex")]
    certificate: Vec<u8>,
    /// Its signature.
    #[serde(with = "hex")]
    signature: Vec<u8>,
}

/// Why a proof proves nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadProof {
    /// The epoch is another machine's.
    #[error("it is signed by a machine that cannot have taken this epoch")]
    OtherOwner,
    /// The machine's certificate holds no key that signs.
    #[error("its key is none")]
    NoKey,
    /// What was signed is not this epoch of this store, with this start.
    #[error("its signature is for something else, or none")]
    NotSigned,
}

impl StoreId {
    /// The store whose first main is this machine.
    #[must_use]
    pub fn of(main: MachineId) -> Self {
        Self(main)
    }
}

impl Proof {
    /// Proves that the machine of `identity` takes `epoch` of `store`, after `start` generations.
    pub fn sign(identity: &Identity, store: StoreId, epoch: u64, start: u64) -> Result<Self, rustls::Error> {
        let key = any_ecdsa_type(&identity.key)?;
        let signer = key.choose_scheme(&[SCHEME]).ok_or(rustls::Error::General("no key that signs".to_owned()))?;
        let signature = signer.sign(&said(store, epoch, identity.id(), start))?;
        Ok(Self { epoch, start, certificate: identity.certificate.to_vec(), signature })
    }

    /// Makes sure that it was `owner` who took the epoch of `store`, and that it began where the proof says.
    pub fn verify(&self, store: StoreId, owner: MachineId) -> Result<(), BadProof> {
        let certificate = CertificateDer::from(self.certificate.as_slice());
        if MachineId::of(&certificate) != owner {
            return Err(BadProof::OtherOwner);
        }
        let parsed = ParsedCertificate::try_from(&certificate).map_err(|_| BadProof::NoKey)?;
        let key = parsed.subject_public_key_info();
        let point = key.len().checked_sub(POINT).map(|at| &key[at..]).ok_or(BadProof::NoKey)?;
        let known = default_provider().signature_verification_algorithms;
        let all = known.mapping.iter().filter(|(scheme, _)| *scheme == SCHEME).flat_map(|(_, all)| all.iter());
        // The point is the key only where all before it says that this is what follows.
        let mut fit = all.filter(|one| public_key_to_spki(&one.public_key_alg_id(), point) == key);
        let algorithm = fit.next().ok_or(BadProof::NoKey)?;
        let said = said(store, self.epoch, owner, self.start);
        algorithm.verify_signature(point, &said, &self.signature).map_err(|_| BadProof::NotSigned)
    }
}

/// What is signed, byte for byte: each field has its place and its length.
fn said(store: StoreId, epoch: u64, owner: MachineId, start: u64) -> Vec<u8> {
    [&DOMAIN[..], store.0.bytes(), &epoch.to_be_bytes(), owner.bytes(), &start.to_be_bytes()].concat()
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("epoch", &self.epoch).field("start", &self.start).finish_non_exhaustive()
    }
}

/// Bytes as two digits each.
mod hex {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let text: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |two: &[u8]| Some(digit(two.first()?)? << 4 | digit(two.get(1)?)?);
        text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| D::Error::custom("no bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two {
        main: Identity,
        backup: Identity,
        store: StoreId,
    }

    fn two() -> Two {
        let (main, backup) = (Identity::make().unwrap(), Identity::make().unwrap());
        let store = StoreId::of(main.id());
        Two { main, backup, store }
    }

    #[test]
    fn what_the_owner_signed_is_proven_also_after_a_journey() {
        let Two { main, backup, store } = two();
        for (owner, epoch, start) in [(&main, 1, 0), (&backup, 2, 9041), (&main, u64::MAX, u64::MAX)] {
            let proof = Proof::sign(owner, store, epoch, start).unwrap();
            let text = serde_json::to_string(&proof).unwrap();
            let proof: Proof = serde_json::from_str(&text).unwrap();
            assert_eq!(proof.verify(store, owner.id()), Ok(()));
            assert!(text.len() < 2000, "it is carried about: {text}");
        }
    }

    #[test]
    fn another_key_store_epoch_or_start_is_not() {
        let Two { main, backup, store } = two();
        let good = Proof::sign(&backup, store, 2, 7).unwrap();
        assert_eq!(good.verify(store, main.id()), Err(BadProof::OtherOwner), "the epoch is the backup's");
        assert_eq!(Proof::sign(&main, store, 2, 7).unwrap().verify(store, backup.id()), Err(BadProof::OtherOwner));
        let other = StoreId::of(backup.id());
        assert_eq!(good.verify(other, backup.id()), Err(BadProof::NotSigned), "another store");
        for (epoch, start) in [(4, 7), (2, 8), (3, 6), (7, 2)] {
            let forged = Proof { epoch, start, ..good.clone() };
            assert_eq!(forged.verify(store, backup.id()), Err(BadProof::NotSigned), "{epoch} {start}");
        }
        // With the certificate of the owner, which everybody may know, and a signature of one's own.
        let own = Proof::sign(&main, store, 2, 7).unwrap();
        let forged = Proof { certificate: good.certificate.clone(), ..own };
        assert_eq!(forged.verify(store, backup.id()), Err(BadProof::NotSigned));
    }

    #[test]
    fn what_is_cut_or_damaged_is_not() {
        let Two { backup, store, .. } = two();
        let good = Proof::sign(&backup, store, 2, 7).unwrap();
        for length in 0..good.signature.len() {
            let cut = Proof { signature: good.signature[..length].to_vec(), ..good.clone() };
            assert_eq!(cut.verify(store, backup.id()), Err(BadProof::NotSigned), "{length}");
        }
        for at in 0..good.signature.len() {
            let mut damaged = good.clone();
            damaged.signature[at] ^= 1;
            assert!(damaged.verify(store, backup.id()).is_err(), "{at}");
        }
        let cut = Proof { certificate: good.certificate[..90].to_vec(), ..good.clone() };
        assert_eq!(cut.verify(store, backup.id()), Err(BadProof::OtherOwner));
        for garbage in [vec![], vec![7; 300]] {
            let owner = MachineId::of(&CertificateDer::from(garbage.clone()));
            let none = Proof { certificate: garbage, ..good.clone() };
            assert_eq!(none.verify(store, owner), Err(BadProof::NoKey));
        }
        let json = |field: &str| format!("{{\"epoch\":2,\"start\":7,\"certificate\":{field},\"signature\":\"\"}}");
        assert!(serde_json::from_str::<Proof>(&json("\"00\"")).is_ok());
        for wrong in ["\"0\"", "\"0g\"", "\"é\"", "7"] {
            assert!(serde_json::from_str::<Proof>(&json(wrong)).is_err(), "{wrong}");
        }
    }
}
