//! Maintenance: nobody is called, on either machine, until it is over.

use serde_json::Value;

use crate::common::place::output;
use crate::common::two::Machine;
use crate::turns::{done, shop};

fn is_on(status: &Value) -> bool {
    status["maintenance"] == true && status["maintained"]["until"].is_string()
}

#[test]
fn nobody_is_called_until_it_is_over() {
    let mut two = shop();
    done(&two, Machine::Main, &["maintenance", "on", "--for", "1h"]);
    for machine in [Machine::Main, Machine::Backup] {
        two.until(machine, "both know", is_on);
    }
    two.cut_power(Machine::Main);
    let missed = |status: &Value| status["peer"]["state"] == "lost" && status["alarms"][0]["code"] == "MIR-301";
    let status = two.until(Machine::Backup, "the main is missed", missed);
    assert_eq!(status["call"]["calls"], false, "{status}");
    assert_eq!(output(&mut two.espejo(Machine::Backup, &["status"])).status.code(), Some(10));
    // It outlives the service, and the machine that comes back learns how it ended.
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is kept", is_on);
    done(&two, Machine::Backup, &["maintenance", "off"]);
    two.until(Machine::Backup, "somebody is called", |status| status["call"]["calls"] == true);
    two.start(Machine::Main);
    two.until(Machine::Main, "the main knows, too", |status| status["maintenance"] == false);
    done(&two, Machine::Backup, &["maintenance", "on", "--for", "1s"]);
    two.until(Machine::Backup, "it ends by itself", |status| status["maintenance"] == false);
}
