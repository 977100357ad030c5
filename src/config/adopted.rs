//! The text of a `store.toml` in which the other machine is the main from now on: the rest of it stays as it was written.

use toml::de::{DeTable, DeValue};

/// `text` where the machine of `[backup]` is the main, or is not any more. Its comments and its order stay.
#[must_use]
pub fn with_home(text: &str, is_adopted: bool) -> String {
    let home = if is_adopted { "\"backup\"" } else { "\"main\"" };
    let (root, _) = DeTable::parse_recoverable(text);
    let root = root.get_ref();
    let mut changed = text.to_owned();
    if let Some(known) = root.get("home") {
        changed.replace_range(known.span(), home);
    } else if is_adopted {
        // Beside the name: what stands below the header of a table would belong to that table.
        let name = root.get("store").filter(|name| matches!(name.get_ref(), DeValue::String(_)));
        let end = name.map_or(0, |name| name.span().end);
        let at = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
        let at = if name.is_none() { 0 } else { at };
        let gap = if at > 0 && !text[..at].ends_with('\n') { "\n" } else { "" };
        changed.insert_str(at, &format!("{gap}home = {home}  # which of the two is the main, since they changed\n"));
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::store::Store;

    const REMARK: &str = "  # which of the two is the main, since they changed\n";
    const TEXT: &str = "# Ours.\nstore = \"Centro\"  # the old town\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\n\
        address = \"10.0.0.2:7410\"\n[[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n";

    #[test]
    fn the_roles_change_and_change_back_and_nothing_else_does() {
        assert!(!Store::parse(TEXT).unwrap().is_adopted);
        let adopted = with_home(TEXT, true);
        let (before, after) = TEXT.split_once("[main]").unwrap();
        assert_eq!(adopted, format!("{before}home = \"backup\"{REMARK}[main]{after}"));
        assert!(Store::parse(&adopted).unwrap().is_adopted);
        let back = with_home(&adopted, false);
        assert!(!Store::parse(&back).unwrap().is_adopted);
        assert_eq!(with_home(&back, true), adopted, "one line, whatever comes after it");
        assert_eq!(with_home(TEXT, false), TEXT);
    }

    #[test]
    fn a_text_of_one_line_or_without_an_end_of_line_is_no_trouble() {
        assert_eq!(with_home("store = \"Ñandú\"", true), format!("store = \"Ñandú\"\nhome = \"backup\"{REMARK}"));
        assert_eq!(with_home("[main]\n", true), format!("home = \"backup\"{REMARK}[main]\n"));
        assert_eq!(with_home("home='main'\nstore='x'\n", true), "home=\"backup\"\nstore='x'\n");
    }
}
