//! The simulation: both whole services of a store in one process, on a clock, a network, disks and POS servers that are simulated,
//! by seed.
//!
//! Each seed is a few minutes of bad luck: cables that are cut on one way or both, slow ones, power cuts in the midst of a step,
//! services that are stopped dead, full disks, clocks that jump, POS servers that fail, and people who press whatever there is.
//! Then all is mended, and a person does what the machines offer until one serves and the other one follows.
//!
//! 300 seeds, 10,000 with `ESPEJO_FULL=1`; `ESPEJO_SEED=n` has one of them again, and tells its story.
//!
//! - `shop`: the two machines, and what was sold
//! - `ground`: a simulated machine
//! - `net`, `pipe`: the network
//! - `pos`: the POS server program
//! - `incidents`: what is done to them
//! - `holds`: what must hold
//! - `story`: what happened

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::must_use_candidate)]

mod common;
#[path = "sim/ground.rs"]
mod ground;
#[path = "sim/holds.rs"]
mod holds;
#[path = "sim/incidents.rs"]
mod incidents;
#[path = "sim/net.rs"]
mod net;
#[path = "sim/pipe.rs"]
mod pipe;
#[path = "sim/pos.rs"]
mod pos;
#[path = "sim/shop.rs"]
mod shop;
#[path = "sim/story.rs"]
mod story;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use common::is_full;
use shop::Shop;

/// What became of a seed.
struct Ran {
    wrong: Option<String>,
    virtual_time: Duration,
    sales: usize,
}

/// Lives through a seed.
fn run(seed: u64) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _ear = tracing::subscriber::set_default(story::Ear);
    runtime.block_on(async {
        let began = tokio::time::Instant::now();
        story::begin();
        let mut shop = Shop::new(seed);
        let wrong = live(&mut shop).await.err();
        if let Some(wrong) = &wrong {
            story::tell(format!("WRONG: {wrong}"));
        }
        Ran { wrong, virtual_time: began.elapsed(), sales: shop.sold.len() }
    })
}

async fn live(shop: &mut Shop) -> Result<(), String> {
    shop.start(0, true).await;
    shop.start(1, true).await;
    let calm = Duration::from_millis(shop.random.below(20_000));
    shop.pass(calm).await?;
    for _ in 0..10 + shop.random.below(20) {
        shop.incident().await;
        let pause = if shop.random.once_in(3) { shop.random.below(500) } else { shop.random.below(15_000) };
        shop.pass(Duration::from_millis(pause)).await?;
    }
    let server = shop.heal().await?;
    shop.check_sales(server)
}

/// The seeds of this run.
fn seeds() -> Vec<u64> {
    match std::env::var("ESPEJO_SEED").ok().map(|text| text.parse().expect("ESPEJO_SEED is a number")) {
        Some(seed) => vec![seed],
        None if is_full() => (0..10_000).collect(),
        // Those that found something once are kept for ever.
        None => (0..300).chain([5568]).collect(),
    }
}

#[test]
fn whatever_happens_there_is_one_server_and_no_sale_is_lost() {
    let seeds = seeds();
    let is_one = seeds.len() == 1;
    let (next, hours, sales) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let mut wrong = vec![];
        loop {
            let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied() else { return wrong };
            if std::env::var_os("SIM_TRACE").is_some() {
                eprintln!("seed {seed}");
            }
            let ran = run(seed);
            hours.fetch_add(ran.virtual_time.as_secs(), Ordering::Relaxed);
            sales.fetch_add(ran.sales as u64, Ordering::Relaxed);
            if is_one {
                println!("{}", story::told(true));
            }
            if let Some(why) = ran.wrong {
                println!("seed {seed}: {why}\n{}", story::told(false));
                wrong.push(format!("ESPEJO_SEED={seed}: {why}"));
            }
        }
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} seeds, {} s, {} sales", seeds.len(), hours.into_inner(), sales.into_inner());
    assert!(wrong.is_empty(), "{} seeds fail:\n  {}\n", wrong.len(), wrong.join("\n  "));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..5 {
        let [first, second] = [0, 1].map(|_| {
            run(seed);
            story::told(false)
        });
        similar(seed, &first, &second);
    }
}

fn similar(seed: u64, first: &str, second: &str) {
    for (number, (one, other)) in first.lines().zip(second.lines()).enumerate() {
        assert_eq!(one, other, "seed {seed}, line {number}");
    }
    assert_eq!(first.lines().count(), second.lines().count(), "seed {seed}");
}
