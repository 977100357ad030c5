//! The first `store.toml` of a new store.

use toml::Value;

use super::address::Address;
use super::dataset::BACKUP_FOLDER;

/// What a person says of a new store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What people call the store.
    pub store: String,
    /// The main.
    pub main: DraftMachine,
    /// The backup.
    pub backup: DraftMachine,
    /// The folder of the POS data on the main; absolute.
    pub data: String,
}

/// A machine of a new store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftMachine {
    /// What people call it; `None`: as its address says.
    pub name: Option<String>,
    /// Where it is reached.
    pub address: Address,
}

impl Draft {
    /// The text of its `store.toml`. What a person says may be wrong: parse the text before it is written.
    #[must_use]
    pub fn text(&self) -> String {
        let (store, data, backup_folder) = (quoted(&self.store), quoted(&self.data), quoted(BACKUP_FOLDER));
        let (main, backup) = (machine("main", "SERVIDOR", &self.main), machine("backup", "CAJA-3", &self.backup));
        format!(
            "# The settings of this store. They are kept on the main; the other machines receive them.\n\
             # What is not written here has its default. A change counts when the service starts again.\n\
             \n\
             store = {store}\n\
             \n\
             {main}\
             {backup}\
             \n\
             # What is mirrored: one folder and all that is in it.\n\
             [[dataset]]\n\
             name = \"pos\"\n\
             main = {data}\n\
             backup = {backup_folder}                  # below the home of the backup\n\
             # exclude = [\"*.tmp\"]              # a name anywhere, or a path: \"log/*.old\"\n\
             {EXAMPLES}"
        )
    }
}

/// What most shops need next, to be taken out of its comment.
const EXAMPLES: &str = include_str!("examples.toml");

fn machine(key: &str, example: &str, machine: &DraftMachine) -> String {
    // Where nobody has said its name there is a place for it.
    let example = quoted(example);
    let name = machine.name.as_ref().map_or_else(
        || format!("# name = {example:<24} # what people call it, on every screen; else its address\n"),
        |name| format!("name = {}\n", quoted(name)),
    );
    format!("[{key}]\n{name}address = {}\n", quoted(&machine.address.to_string()))
}

/// `text` as a string of TOML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::store::Store;

    fn draft(store: &str, name: Option<&str>, data: &str) -> Draft {
        let machine = |name: Option<&str>, host| DraftMachine {
            name: name.map(str::to_owned),
            address: Address::new(host, 7410).unwrap(),
        };
        let (main, backup) = (machine(name, "192.168.1.10"), machine(None, "CAJA-3"));
        Draft { store: store.to_owned(), main, backup, data: data.to_owned() }
    }

    #[test]
    fn it_is_a_store_without_faults() {
        let store = Store::parse(&draft("Centro", Some("SERVIDOR"), "/srv/pos").text()).unwrap();
        assert_eq!(
            (store.name.as_str(), store.main.name.as_str(), store.backup.name.as_str()),
            ("Centro", "SERVIDOR", "CAJA-3")
        );
        assert_eq!(store.datasets[0].main.to_str(), Some("/srv/pos"));
        assert_eq!(store.datasets[0].backup.to_str(), Some("RUNDIR"));
        assert!(store.servers.is_none() && store.counters.is_empty());
    }

    #[test]
    fn the_examples_are_right_when_they_are_taken_out_of_their_comments() {
        let examples = EXAMPLES.replace("\n# ", "\n").replace("\n## ", "\n# ");
        let text = draft("Centro", None, "/srv/pos").text().replace(EXAMPLES, &examples);
        let store = Store::parse(&text).unwrap();
        assert_eq!(store.counters.len(), 1);
        assert!(store.servers.is_some() && store.terminals.is_some() && store.support.name.is_some());
        assert!(!store.roles.operator.is_empty() && store.drill.sale.is_some() && !store.datasets[0].counts.is_empty());
    }

    proptest! {
        #[test]
        fn any_name_is_quoted(store in "[^\\pC]*[^\\pC\\pZ][^\\pC]*", name in "[^\\pC]*[^\\pC\\pZ]", folder in "/[^\\pC/.]*[^\\pC\\pZ/.]") {
            let parsed = Store::parse(&draft(&store, Some(&name), &folder).text()).unwrap();
            prop_assert_eq!(parsed.name, store);
            prop_assert_eq!(parsed.main.name, name);
            prop_assert_eq!(parsed.datasets[0].main.to_str(), Some(folder.as_str()));
        }

        #[test]
        fn no_name_makes_it_something_else_than_toml(store in any::<String>(), folder in any::<String>()) {
            let text = draft(&store, None, &folder).text();
            let table: toml::Table = text.parse().unwrap();
            prop_assert_eq!(table["store"].as_str(), Some(store.as_str()));
        }
    }
}
