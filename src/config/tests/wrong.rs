//! What can be wrong: each file with all its faults, each with its place.

use super::super::Store;
use super::LEAST;

fn told(text: &str) -> Vec<String> {
    let faults = Store::parse(text).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{}:{} {} {:?}", fault.line, fault.column, fault.key, fault.what)).collect()
}

/// Files that are wrong as they stand.
const WHOLE: [&str; 10] = [
    "",
    "store = 3\n[main]\nadress = \"x:1\"\n[backup]\naddress = 'ñ', \n",
    "store = \"C\ntro\"\n[main]\naddress = \"192.168.1.300:7410\"\nname = \" \"\n",
    "store = \"a\\tb\"\ndataset = []\n[main]\naddress = \"SERVIDOR\"\n[backup]\naddress = \"CAJA-3:0\"\n",
    "store = \"S\"\ndataset = { name = \"x\" }\nmain = \"SERVIDOR:7410\"\nbackup.address = \"localhost:7410\"\nmirror = 3\n",
    "store = \"S\"\nstore = \"T\"\n[main]\naddress = \"a:1\"\nname = \"X\"\n[backup]\naddress = \"A:1\"\nname = \"x\"\n[[dataset]]\nname = \"a/b\"\nmain = \"srv/pos\"\nbackup = \"../x\"\n[[dataset]]\nname = \"A\"\nmain = \"/srv/pos\"\nbackup = \"/m\"\n[[dataset]]\nname = \"a\"\nmain = \"/srv/pos/sub\"\nbackup = \"/m/x\"\n",
    "store = \"S\"\nmain.address = \"0.0.0.0:1\"\nbackup.address = \"127.0.0.1:1\"\n[[dataset]]\nname = \"\"\nmain = \"/\"\nbackup = \".\"\n[[dataset]]\n",
    "store = \"S\" \nmain.address = \"a:1\"\nbackup.address = \"b:1\"\n[[dataset]]\nname = \"ñandú\"; main = 3\nmain = 3s\nexclude = \"*.tmp\"\n",
    "store = \"S\"\nmain.address = \"a:1\"\nbackup.address = \"b:1\"\n[[dataset]]\nname = \"p\"\nmain = \"/s\"\nexclude = [\"*\", \"a[\", \"/s/x.tmp\", \"../x\", \"*.q\", \"*.Q\", \"*.q\", 3]\nfile = [{ match = \"O.q\", kind = \"queue\" }, { ñ = 1, \"ñññ\" = 2 }]\n",
    "store = \"S\"\nmain.address = \"a:1\"\nbackup.address = \"b:1\"\n[[dataset]]\nname = \"d\"\nkind = \"dump\"\nexclude = []\nfile = []\ncount = []\ndump = []\n[[dataset]]\nname = \"e\"\nkind = \"queue\"\nmain = \"/e\"\n[[dataset]]\nname = \"f\"\nmain = \"/f\"\ndump = [\"x\"]\nevery = \"3s\"\n",
];

/// What is put behind the least file, which has 8 lines.
const BEHIND: [&str; 22] = [
    "[mirror]\ninterval = \"3\"\nrescan = \"10M\"\nmax_age = 10\nempty_patience = \"-2s\"\nhistory = \"ten\"\nhistory_bytes = \"2 gigs\"\nmax_rate = \"1B\"\nintervall = \"3s\"\n",
    "[mirror]\ninterval = \"20m\"\nmax_age = \"1m\"\n",
    "[[dataset.file]]\nmatch = \"a\"\n[[dataset.file]]\nkind = \"dump\"\n[[dataset.file]]\nmatch = \"A\"\nkind = \"files\"\nrecord = \"line\"\n[[dataset.file]]\nmatch = \"b\"\nkind = \"sqlite\"\nlock = \"flock\"\n[[dataset.file]]\nmatch = \"c\"\nrecord = \"lines\"\nlock = \"lockf\"\n",
    "[[dataset.file]]\nmatch = \"a\"\nkind = \"queue\"\nrecord = { fixed = 0 }\n[[dataset.file]]\nmatch = \"b\"\nkind = \"queue\"\nrecord = { count_at = 0 }\n[[dataset.file]]\nmatch = \"c\"\nkind = \"queue\"\nrecord = { prefix = \"u32\", fixed = 3 }\n[[dataset.file]]\nmatch = \"d\"\nkind = \"queue\"\nrecord = 64\n[[dataset.file]]\nmatch = \"e\"\nkind = \"queue\"\nrecord = {}\n",
    "[[dataset.file]]\nmatch = \"*.QUE\"\nkind = \"files\"\n[[dataset.count]]\nlabel = \"a\"\nby = { records = \"O.QUE\" }\n[[dataset.count]]\nlabel = \"A\"\nby = { file = \"/srv/pos/R\" }\n[[dataset.count]]\nby = {}\n[[dataset.count]]\nlabel = \"c\"\nby = \"records\"\n[[dataset.count]]\nlabel = \"d\"\nby = { records = \"../x\", sql = \"S\" }\n",
    "[[counter]]\n[[counter]]\nname = \"r\"\nread = { file = \"a\", pattern = \"(\\\\d+\" }\non_start = { gap = 0 }\nwrite = { command = [\"x\"] }\n[[counter]]\nname = \"R\"\nread = { file = \"{data:bos}/a\", pattern = \"\\\\d+\" }\non_start = { gap = 5 }\n",
    "[[counter]]\nname = \"r\"\nread = { file = \"a\", pattern = \"(a)\", sql = \"S\", feld = 3 }\non_start = \"series\"\nwrite = { file = \"a\", format = \"x\" }\n[[counter]]\nname = \"s\"\nread = { file = \"/srv/pos/a/b\", field = 0 }\non_start = { gap = 1, series = \"B\" }\nwrite = { format = \"{value}\" }\n[[counter]]\nname = \"t\"\nread = { file = \"./a\" }\nwrite = { command = [\"x\", \"{value}\"], file = \"a\" }\n",
    "[[dataset.file]]\nmatch = \"*.QUE\"\nkind = \"queue\"\n[[counter]]\nname = \"a\"\nread = { file = \"O.QUE\", sql = \"S\" }\n[[counter]]\nname = \"b\"\nread = { file = \"{data}/../x\", pattern = \"(?P<n>\\\\d)\" }\nwrite = { file = \"O.QUE\", sql = \"no value\" }\n",
    "[server]\n",
    "[server]\ncommand = [\"a\"]\nunit = \"b.service\"\n",
    "[server.main]\nunit = \"pos\"\nstop = { signal = \"TERM\" }\n",
    "[server]\nunit = \"a.service\"\nwith = [\"b.service\", \"a.service\", \"b.service\", \"b\"]\nstop = { signal = \"SIGTERM\", timeout = \"20\" }\n",
    "[server]\ncommand = \"/opt/pos/server --port 9000\"\nready = { tcp = \"9000\", timeout = \"0s\" }\nhealth = { send = \"x\" }\nversion = [\"\", 3, \"{data:boss}\"]\n",
    "[server]\ncommand = [\"a\", \"{data:bos}\"]\nready = { command = [\"x\"], http = \"https://x/\", tcp = \"a:1\" }\nhealth = { expect = \"x\" }\nstop = \"TERM\"\n",
    "[server]\ncommand = [\"a\"]\nready = { timeout = \"3s\" }\n[server.backup]\nhealth = { expect = \"\", tcp = \"x\" }\n[server.bakup]\n",
    "[terminals]\nports = [9000, 0, 70000, \"9000\", 9000, 7410, 8009]\nhold = 80\n",
    "[terminals]\nnotice_port = 7410\nports = 9000\n",
    "[promote]\nmode = \"auto\"\nafter = \"30\"\n[return]\nmode = \"Ask\"\n[licence]\ndays = 0\nvendor_key = \"k4.secret.xyz\"\n",
    "[alarm]\nshow = []\nsound = 3\n[support]\nname = 3\ntelephone = \"a\\nb\"\nphone = \"x\"\n",
    "[hooks]\nbefore_serv = [\"x\"]\nafter_serve = \"x\"\nresume = [\"x\"]\nlimit = \"2h\"\n",
    "[mirror]\ninterval = 3s\nrescan = \"x\"\n[main]\nname = \"x\"\n[servers]\n",
    "[licence]\ndays = 99999999999999999999999999999999999999999999999999\n\n# ñ\n  [colour]\n",
];

#[test]
fn show() {
    for text in WHOLE {
        println!("({text:?}, &[");
        for t in told(text) {
            println!("    {t:?},");
        }
        println!("]),");
    }
    println!("=====");
    for text in BEHIND {
        println!("({text:?}, &[");
        for t in told(&format!("{LEAST}{text}")) {
            println!("    {t:?},");
        }
        println!("]),");
    }
}
