//! A generation that does everything that a generation can do.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::common::random::Random;

/// What stands in the source before.
pub fn before(source: &Path) {
    let mut random = Random::new(7);
    let mut put = |name: &str, len: usize| fs::write(source.join(name), random.bytes(len)).unwrap();
    for folder in ["dir", "dir/inner", "turns into a file", "moves", "empties"] {
        fs::create_dir(source.join(folder)).unwrap();
    }
    for (name, len) in [
        ("in place.dat", 300_000),
        ("mostly new.dat", 200_000),
        ("cut.dat", 150_000),
        ("swap.a", 40_000),
        ("swap.b", 50_000),
        ("old.0", 20_000),
        ("old.1", 21_000),
        ("old.2", 22_000),
        ("goes.txt", 5_000),
        ("dir/inner/goes too", 70_000),
        ("turns into a folder", 3_000),
        ("turns into a file/was inside", 4_000),
        ("moves/away", 100_000),
        ("linked", 60_000),
        ("unlinked", 1_000),
        ("empties/on purpose", 10),
    ] {
        put(name, len);
    }
    fs::write(source.join("ORDERS.QUE"), "1;a\n2;b\n").unwrap();
    let sparse = File::create(source.join("sparse")).unwrap();
    sparse.set_len(5_000_000).unwrap();
    sparse.write_all_at(b"in the middle", 2_500_000).unwrap();
    fs::hard_link(source.join("linked"), source.join("dir/linked too")).unwrap();
    fs::hard_link(source.join("unlinked"), source.join("unlinked too")).unwrap();
    symlink("nowhere", source.join("points")).unwrap();
    symlink("stays", source.join("points on")).unwrap();
}

/// The generation after that.
pub fn change(source: &Path) {
    let mut random = Random::new(8);
    let at = |name: &str| source.join(name);
    let open = |name: &str| File::options().write(true).open(at(name)).unwrap();
    open("in place.dat").write_all_at(&random.bytes(3_000), 100_000).unwrap();
    open("in place.dat").write_all_at(&random.bytes(500), 299_900).unwrap();
    open("mostly new.dat").write_all_at(&random.bytes(150_000), 10_000).unwrap();
    open("cut.dat").set_len(30_001).unwrap();
    open("linked").write_all_at(&random.bytes(20_000), 10_000).unwrap();
    open("sparse").write_all_at(b"at the end", 4_999_000).unwrap();
    open("sparse").write_all_at(&[0; 13], 2_500_000).unwrap();
    let queue = File::options().append(true).open(at("ORDERS.QUE")).unwrap();
    std::io::Write::write_all(&mut &queue, b"3;c\n4;d\n").unwrap();
    let renames = [
        ("swap.a", "swap.c"),
        ("swap.b", "swap.a"),
        ("swap.c", "swap.b"),
        ("old.2", "old.3"),
        ("old.1", "old.2"),
        ("old.0", "old.1"),
    ];
    for (from, to) in renames {
        fs::rename(at(from), at(to)).unwrap();
    }
    fs::write(at("old.0"), random.bytes(9_000)).unwrap();
    fs::remove_file(at("goes.txt")).unwrap();
    fs::remove_dir_all(at("dir/inner")).unwrap();
    fs::remove_file(at("turns into a folder")).unwrap();
    fs::create_dir_all(at("turns into a folder/with/more")).unwrap();
    fs::write(at("turns into a folder/with/more/in it"), random.bytes(6_000)).unwrap();
    fs::remove_dir_all(at("turns into a file")).unwrap();
    fs::write(at("turns into a file"), random.bytes(7_000)).unwrap();
    fs::create_dir(at("moved here")).unwrap();
    fs::rename(at("moves/away"), at("moved here/and changed")).unwrap();
    open("moved here/and changed").write_all_at(&random.bytes(900), 50_000).unwrap();
    fs::hard_link(at("in place.dat"), at("linked now")).unwrap();
    fs::remove_file(at("unlinked too")).unwrap();
    fs::remove_file(at("points")).unwrap();
    symlink("somewhere", at("points")).unwrap();
    symlink("new", at("points anew")).unwrap();
    open("empties/on purpose").set_len(0).unwrap();
    fs::set_permissions(at("old.3"), Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(at("empties"), Permissions::from_mode(0o711)).unwrap();
    let long_ago = UNIX_EPOCH - Duration::new(1_234_567, 890);
    open("swap.a").set_times(FileTimes::new().set_modified(long_ago)).unwrap();
}
