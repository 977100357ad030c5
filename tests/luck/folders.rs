//! What was typed cannot be a source and its mirror.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use crate::common::place::{Place, output, told};

fn mirror(place: &Place, source: &Path, dest: &Path) -> Output {
    output(place.espejo(&["mirror", "--once"]).arg(source).arg(dest))
}

/// It is not done, with this exit code, in one line that names `named`; and nothing is made.
fn refused(place: &Place, source: &Path, dest: &Path, code: i32, named: &Path) {
    let output = mirror(place, source, dest);
    assert_eq!(output.status.code(), Some(code), "{}", told(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("espejo: ") && said.lines().count() == 1, "{said}");
    assert!(said.contains(named.to_str().unwrap()), "{said}");
    assert!(output.stdout.is_empty());
    assert!(!place.journal().exists() && !place.dest.exists());
}

#[test]
fn a_missing_source_is_said() {
    let place = Place::new();
    let missing = place.path().join("missing");
    refused(&place, &missing, &place.dest, 2, &missing);
}

#[test]
fn a_source_that_is_a_file_is_said() {
    let place = Place::new();
    let file = place.source.join("file");
    fs::write(&file, "x").unwrap();
    refused(&place, &file, &place.dest, 2, &file);
}

#[test]
fn a_source_that_loops_is_said() {
    let place = Place::new();
    let (a, b) = (place.path().join("a"), place.path().join("b"));
    symlink(&a, &b).unwrap();
    symlink(&b, &a).unwrap();
    refused(&place, &a, &place.dest, 2, &a);
}

#[test]
fn the_same_folder_twice_is_refused_also_through_a_link() {
    let place = Place::new();
    let link = place.path().join("link");
    symlink(&place.source, &link).unwrap();
    refused(&place, &place.source, &place.source, 2, &place.source);
    refused(&place, &place.source, &link, 2, &place.source);
    refused(&place, &link, &place.source, 2, &place.source);
    refused(&place, &place.source, &place.source.join("../source/."), 2, &place.source);
}

#[test]
fn a_mirror_within_its_source_is_refused_also_through_a_link() {
    let place = Place::new();
    fs::create_dir(place.source.join("inside")).unwrap();
    let link = place.path().join("link");
    symlink(place.source.join("inside"), &link).unwrap();
    for dest in [place.source.join("inside"), place.source.join("new/one"), link.clone(), link.join("new")] {
        refused(&place, &place.source, &dest, 2, &place.source);
    }
    assert!(!place.source.join("new").exists());
}

#[test]
fn a_source_within_its_mirror_is_refused_also_through_a_link() {
    let place = Place::new();
    let inside = place.source.join("inside");
    fs::create_dir(&inside).unwrap();
    let link = place.path().join("link");
    symlink(&inside, &link).unwrap();
    refused(&place, &inside, &place.source, 2, &inside);
    refused(&place, &link, &place.source, 2, &inside);
}

#[test]
fn a_mirror_that_is_a_file_is_said() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "x").unwrap();
    refused(&place, &place.source, &file, 2, &file);
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[test]
fn other_data_in_the_mirror_are_left_alone_until_it_is_said_and_set_aside_then() {
    let place = Place::new();
    fs::write(place.source.join("same"), "the same on both sides").unwrap();
    fs::write(place.source.join("differs"), "as the shop has it").unwrap();
    fs::create_dir_all(place.dest.join("folder")).unwrap();
    fs::write(place.dest.join("same"), "the same on both sides").unwrap();
    fs::write(place.dest.join("differs"), "as it was here").unwrap();
    fs::write(place.dest.join("folder/only here"), "nobody else has this").unwrap();
    let before = crate::common::tree::tree(&place.dest);
    let refused = place.once(&[]);
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--adopt-dest"), "{}", told(&refused));
    assert_eq!(crate::common::tree::tree(&place.dest), before, "nothing was touched");
    place.must_copy(&["--adopt-dest", "--accept-removals"], "adopted");
    let rescue: Vec<_> = fs::read_dir(place.journal().join("rescue")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(rescue.len(), 1, "{rescue:?}");
    assert_eq!(fs::read(rescue[0].join("differs")).unwrap(), b"as it was here");
    assert_eq!(fs::read(rescue[0].join("folder/only here")).unwrap(), b"nobody else has this");
}
