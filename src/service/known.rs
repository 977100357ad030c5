//! What another version says and this one does not know is passed over, and all that stands beside it is taken.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Those of a list that are known.
pub fn all<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let said = Vec::<Value>::deserialize(from)?;
    Ok(said.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}

/// What may be there, if it is known.
pub fn one<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or(None))
}
