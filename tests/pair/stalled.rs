//! One dataset stops by itself: it is reported, the others go on, and it is taken up again when a person says so.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::place::told;
use crate::common::two::{Machine, Two};
use crate::common::{tree, until};
use crate::turns::{asked, done, refused};

/// Two machines with a second dataset.
struct Shop {
    two: Two,
    images: PathBuf,
    copies: PathBuf,
}

fn shop() -> Shop {
    let mut two = Two::new();
    two.init();
    let (images, copies) = (two.path().join("images"), two.home(Machine::Backup).join("IMAGES"));
    fs::create_dir(&images).unwrap();
    fs::write(images.join("logo"), "espejo").unwrap();
    fs::write(two.data.join("POS-Q.Seq"), "1\n").unwrap();
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    let more = format!("\n[[dataset]]\nname = \"images\"\nmain = \"{}\"\nbackup = \"IMAGES\"\n", images.display());
    fs::write(&path, text + &more).unwrap();
    two.set_pos();
    Shop { two, images, copies }
}

/// Whether a machine reports that the images have stopped there.
fn has_stopped(status: &Value) -> bool {
    let mut alarms = status["alarms"].as_array().unwrap().iter();
    alarms.any(|alarm| alarm["code"] == "MIR-105" && alarm["dataset"] == "images")
}

/// Has the images taken up again, by a word on this machine.
fn take_up(two: &Two, on: Machine) {
    until("it can be taken up again", || {
        let said = asked(two, on, &["return", "--copy", "images"]);
        said.status.success() || two.status(on).is_some_and(|status| !has_stopped(&status))
    });
}

#[test]
fn a_dataset_that_cannot_be_kept_stops_no_other_one() {
    let Shop { mut two, images, copies } = shop();
    fs::create_dir_all(&copies).unwrap();
    fs::write(copies.join("holiday"), "not of the shop").unwrap();
    two.meet();
    let status = two.until(Machine::Backup, "it is reported", has_stopped);
    assert_eq!(status["stalled"][0]["node"], "backup", "{status}");
    for number in 2..5 {
        fs::write(two.data.join("POS-Q.Seq"), format!("{number}\n")).unwrap();
        two.until_same("the other goes on");
    }
    // Whether it has stopped before, or while it was tried again: nobody waits for it.
    let said = asked(&two, Machine::Backup, &["verify"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("IMAGES"), "{}", told(&said));
    let status = two.until(Machine::Main, "the main knows", has_stopped);
    let reasons = status["can_take_over"]["reasons"].as_array().unwrap();
    assert!(status["can_take_over"]["yes"] == false && reasons.iter().any(|one| one["check"] == "dataset"), "{status}");
    refused(&two, Machine::Main, &["return", "--copy", "pos"], "has not stopped");
    refused(&two, Machine::Backup, &["return", "--copy", "imagse"], "No dataset");
    // Before it is mended nothing changes.
    done(&two, Machine::Backup, &["return", "--copy", "images"]);
    two.until(Machine::Backup, "it has stopped again", has_stopped);
    refused(&two, Machine::Backup, &["drill"], "images");
    assert_eq!(fs::read_to_string(copies.join("holiday")).unwrap(), "not of the shop");
    fs::remove_file(copies.join("holiday")).unwrap();
    // From the other machine, too. As the dataset stopped once more the two began to talk anew: what is asked just then is lost.
    take_up(&two, Machine::Main);
    until("the images are mirrored", || tree::are_same(&images, &copies));
    for machine in [Machine::Main, Machine::Backup] {
        two.until(machine, "all is well", |status| {
            status["alarms"] == serde_json::json!([])
                && status["stalled"] == serde_json::json!([])
                && status["can_take_over"]["yes"] == true
        });
    }
}

#[test]
fn a_return_waits_for_every_dataset_and_a_start_only_for_consent() {
    let Shop { mut two, images, copies } = shop();
    two.meet();
    two.until_same("the first copy");
    until("the images are mirrored", || tree::are_same(&images, &copies));
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    // Its folder of images is none any more.
    fs::remove_dir_all(&images).unwrap();
    fs::write(&images, "in the way").unwrap();
    two.start(Machine::Main);
    two.until(Machine::Main, "it is reported", has_stopped);
    two.until(Machine::Backup, "there, too", has_stopped);
    fs::write(two.mirror().join("POS-Q.Seq"), "2\n").unwrap();
    until("the other is copied back", || tree::are_same(&two.mirror(), &two.data));
    refused(&two, Machine::Backup, &["return"], "return --copy images");
    // The backup falls: what there is must do.
    two.cut_power(Machine::Backup);
    two.until(Machine::Main, "the backup is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Main, &["promote", "--yes"], "--accept-loss");
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    fs::remove_file(&images).unwrap();
    fs::create_dir(&images).unwrap();
    take_up(&two, Machine::Backup);
    until("the images are back", || tree::are_same(&images, &copies));
    two.until(Machine::Backup, "all is well", |status| status["stalled"] == serde_json::json!([]));
    until("it is level", || crate::turns::asked(&two, Machine::Backup, &["return", "--plan"]).status.success());
    done(&two, Machine::Backup, &["return"]);
    two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving" && status["epoch"] == 3);
}

#[test]
fn a_shop_can_sell_without_a_dataset_that_has_stopped() {
    let Shop { mut two, images, copies } = shop();
    two.meet();
    until("the images are mirrored", || tree::are_same(&images, &copies));
    two.stop(Machine::Backup);
    fs::rename(&copies, copies.with_extension("gone")).unwrap();
    fs::write(&copies, "in the way").unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is reported", |status| has_stopped(status) && status["mirror"]["as_of"].is_string());
    fs::write(two.data.join("POS-Q.Seq"), "2\n").unwrap();
    two.until_same("the other goes on");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Backup, &["promote", "--yes"], "images is not mirrored any more");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    let serves = |status: &Value| status["duty"] == "serving" && status["server"] == "ready" && has_stopped(status);
    two.until(Machine::Backup, "it sells, and says what is missing", serves);
}
