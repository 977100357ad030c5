//! Who a machine is: a key of its own, made once, and the certificate that carries it.
//!
//! No authority vouches for it. Two machines learn each other's key when they join by code, and obey no other from then on.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

/// Who a machine is: the proof of its certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MachineId([u8; 32]);

/// A machine's key, and the certificate that carries it.
#[derive(Debug)]
pub struct Identity {
    /// What the other side sees.
    pub certificate: CertificateDer<'static>,
    /// What it never sees.
    pub(super) key: PrivateKeyDer<'static>,
}

/// Why a machine has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The system refused something.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The file holds no key, or no certificate.
    #[error("{}: this file holds no key and certificate", .0.display())]
    Strange(PathBuf),
    /// No key could be made.
    #[error("no key can be made: {0}")]
    Making(#[from] rcgen::Error),
}

impl MachineId {
    /// The machine that shows `certificate`.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(*blake3::hash(certificate).as_bytes())
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<MachineId> for String {
    fn from(id: MachineId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for MachineId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} names no machine");
        let mut id = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(id))
    }
}

/// The file in `home` that holds the identity; only its owner may read it.
#[must_use]
pub fn path(home: &Path) -> PathBuf {
    home.join("identity.pem")
}

impl Identity {
    /// A new one.
    pub fn make() -> Result<Self, IdentityError> {
        Self::from_pem(&new_pem()?).ok_or_else(|| IdentityError::Strange(PathBuf::from("a new identity")))
    }

    /// That of the machine with this `home`, if it has one.
    pub fn load(home: &Path) -> Result<Option<Self>, IdentityError> {
        let path = path(home);
        let pem = match fs::read(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(IdentityError::Io { path, error }),
        };
        Self::from_pem(&pem).map(Some).ok_or(IdentityError::Strange(path))
    }

    /// When that was made: the machine was set up then.
    #[must_use]
    pub fn made_at(home: &Path) -> Option<jiff::Timestamp> {
        jiff::Timestamp::try_from(fs::metadata(path(home)).ok()?.modified().ok()?).ok()
    }

    /// That of the machine with this `home`; made and saved, if it has none yet.
    pub fn load_or_make(home: &Path) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::load(home)? {
            return Ok(identity);
        }
        let (path, pem) = (path(home), new_pem()?);
        let save = || {
            // Under another name first: a crash leaves a whole one or none.
            let beside = path.with_extension("new");
            let _ = fs::remove_file(&beside);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            file.write_all(&pem)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            fs::File::open(home)?.sync_all()
        };
        save().map_err(|error| IdentityError::Io { path: path.clone(), error })?;
        Self::from_pem(&pem).ok_or(IdentityError::Strange(path))
    }

    fn from_pem(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let key = PrivateKeyDer::from_pem_slice(pem).ok()?;
        Some(Self { certificate, key })
    }

    /// Who the machine is.
    #[must_use]
    pub fn id(&self) -> MachineId {
        MachineId::of(&self.certificate)
    }
}

fn new_pem() -> Result<Vec<u8>, IdentityError> {
    let made = rcgen::generate_simple_self_signed(vec!["espejo".to_owned()])?;
    Ok(format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()).into_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_machine_is_the_same_after_a_restart_and_its_key_is_its_own() {
        let home = tempfile::tempdir().unwrap();
        assert!(Identity::load(home.path()).unwrap().is_none());
        let made = Identity::load_or_make(home.path()).unwrap().id();
        assert_eq!(Identity::load_or_make(home.path()).unwrap().id(), made);
        assert_eq!(fs::metadata(path(home.path())).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(Identity::make().unwrap().id(), made);
        fs::write(path(home.path()), "no key").unwrap();
        assert!(matches!(Identity::load_or_make(home.path()), Err(IdentityError::Strange(_))));
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = Identity::make().unwrap().id();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<MachineId>(&json).unwrap(), id);
        for wrong in ["\"\"".to_owned(), json.replace(&json[1..3], "zz"), "\"é\"".to_owned()] {
            assert!(serde_json::from_str::<MachineId>(&wrong).is_err());
        }
    }
}
