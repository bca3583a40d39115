//! What the kernel says of a process: read or refused, never a panic, and what was found stands in the text.
#![no_main]
#![allow(dead_code, unused_imports)] // what is not fuzzed is used elsewhere

#[path = "../../crates/plugins/workload/src/cgroup.rs"]
mod cgroup;
#[path = "../../crates/plugins/workload/src/container/mod.rs"]
mod container;
#[path = "../../crates/plugins/local/src/proc.rs"]
mod proc;
#[path = "../../crates/plugins/workload/src/slurm/step.rs"]
mod step;

use cgroup::Cgroups;
use container::{Matchers, Place};

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let _ = (proc::Status::parse(text), proc::Stat::parse(text), proc::parent(text));
    let _ = container::of_mounts(text, true);
    // the first line is a pattern, the rest a list of control groups
    let (pattern, list) = text.split_at(text.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let Ok(cgroups) = Cgroups::parse(list.strip_prefix(b"\n").unwrap_or(list)) else { return };
    let _ = step::step(&cgroups);
    for pods in [false, true] {
        let Ok(Some(place)) = container::locate(&cgroups, pods) else { continue };
        assert_eq!(place.id.len(), 64);
        assert!(place.pod.as_ref().is_none_or(|uid| uid.len() == 36));
        stands(&place, &cgroups);
    }
    let Ok(matchers) = Matchers::new(&[String::from_utf8_lossy(pattern).into_owned()]) else { return };
    if let Ok(Some(place)) = container::locate_by(&matchers, &cgroups) {
        assert!(!place.id.contains('/'));
        stands(&place, &cgroups);
    }
});

fn stands(place: &Place, cgroups: &Cgroups) {
    assert!(place.holds(cgroups));
    assert!(place.roots().all(|root| root.contains(&place.id)));
}
