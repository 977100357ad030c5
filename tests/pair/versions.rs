//! Who speaks another version of the protocol is told so, in words; and neither side stops trying.

use std::fs;

use espejo::link::frame::{OLDEST, PROTOCOL};
use espejo::link::greeting::{Answer, Greeting, Purpose, Refusal};
use espejo::link::identity::Identity;
use espejo::link::speech::{hear, say};
use espejo::link::tls::{Secure, Tls};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::common::two::{Machine, Two};

/// Connections in the name of one of the two.
pub fn in_the_name_of(two: &Two, machine: Machine) -> Tls {
    Tls::new(&Identity::load(&two.home(machine)).unwrap().unwrap()).unwrap()
}

/// A connection to a machine that greets it.
pub async fn greeted(tls: &Tls, address: &str, protocol: u32, purpose: Purpose) -> Secure {
    let mut secure = tls.dialled(TcpStream::connect(address).await.unwrap()).await.unwrap();
    let greeting = Greeting { protocol, oldest: None, version: "9.9.9".to_owned(), purpose };
    say(&mut secure.stream, &greeting).await.unwrap();
    secure
}

/// An alarm says which version the other side has, and which of the two is the older one.
fn is_told(status: &Value, older: &str) -> bool {
    let why = &status["alarms"][0]["why"];
    why["is"] == "versions" && why["theirs"] == "9.9.9" && why["older"] == older
}

#[test]
fn who_calls_with_another_version_is_told() {
    let mut two = Two::joined();
    two.until_same("before");
    two.kill(Machine::Backup);
    let tls = in_the_name_of(&two, Machine::Backup);
    let called = async |protocol| {
        for purpose in [Purpose::Join, Purpose::Control { session: 7 }] {
            let mut secure = greeted(&tls, &two.address(Machine::Main), protocol, purpose).await;
            let answer: Answer = hear(&mut secure.stream).await.unwrap();
            let Answer::Refused { why: Refusal::Protocol, version, protocol: Some(PROTOCOL) } = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(version, env!("CARGO_PKG_VERSION"));
        }
    };
    for (protocol, older) in [(OLDEST - 1, "other"), (PROTOCOL + 1, "this")] {
        Runtime::new().unwrap().block_on(called(protocol));
        two.until(Machine::Main, "the main says so, too", |status| is_told(status, older));
    }
    fs::write(two.data.join("file"), "after").unwrap();
    two.start(Machine::Backup);
    two.until_same("with the right version");
    two.until(Machine::Main, "all is well", |status| status["alarms"] == serde_json::json!([]));
}

#[test]
fn a_main_with_another_version_is_named_and_called_again() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "before").unwrap();
    two.until_same("before");
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    two.kill(Machine::Main);
    let tls = in_the_name_of(&two, Machine::Main);
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind(two.address(Machine::Main))).unwrap();
    let answering = runtime.spawn(async move {
        loop {
            let Ok(mut secure) = tls.accepted(listener.accept().await.unwrap().0).await else { continue };
            let _: Result<Greeting, _> = hear(&mut secure.stream).await;
            let refused =
                Answer::Refused { why: Refusal::Protocol, version: "9.9.9".to_owned(), protocol: Some(PROTOCOL + 2) };
            let _ = say(&mut secure.stream, &refused).await;
        }
    });
    let status = two.until(Machine::Backup, "it is named", |status| is_told(status, "this"));
    assert_eq!((&status["peer"]["state"], &status["can_take_over"]["yes"]), (&"lost".into(), &true.into()), "{status}");
    answering.abort();
    drop(runtime);
    two.start(Machine::Main);
    fs::write(two.data.join("file"), "after").unwrap();
    two.until_same("with the right version");
}

#[test]
fn who_speaks_a_later_version_too_is_talked_with_and_what_is_not_known_breaks_nothing() {
    let mut two = Two::joined();
    two.until_same("before");
    two.kill(Machine::Backup);
    let tls = in_the_name_of(&two, Machine::Backup);
    Runtime::new().unwrap().block_on(async {
        let mut secure = tls.dialled(TcpStream::connect(two.address(Machine::Main)).await.unwrap()).await.unwrap();
        let (protocol, oldest) = (PROTOCOL + 1, Some(PROTOCOL));
        let purpose = Purpose::Control { session: 7 };
        say(&mut secure.stream, &Greeting { protocol, oldest, version: "9.9.9".to_owned(), purpose }).await.unwrap();
        let answer: Answer = hear(&mut secure.stream).await.unwrap();
        assert!(matches!(answer, Answer::Welcome { protocol: Some(PROTOCOL), .. }), "{answer:?}");
        say(&mut secure.stream, &json!({ "note": "moon", "phase": 3 })).await.unwrap();
        let fly = json!({ "note": "ask", "number": 9, "command": { "command": "fly", "by": "ana" } });
        say(&mut secure.stream, &fly).await.unwrap();
        loop {
            let note: Value = hear(&mut secure.stream).await.unwrap();
            if note["note"] == "answer" {
                assert_eq!((&note["number"], &note["reply"]["why"][0]["is"]), (&json!(9), &json!("other")), "{note}");
                break;
            }
        }
    });
}
