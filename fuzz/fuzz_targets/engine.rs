//! What a container engine says of a container, and a kubelet of its pods: read or refused, never a panic.
#![no_main]
#![allow(dead_code)] // what is not fuzzed is used elsewhere

#[path = "../../crates/plugins/workload/src/docker/answer.rs"]
mod answer;
#[path = "../../crates/plugins/workload/src/k8s/pod.rs"]
mod pod;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    if let Ok(container) = answer::Container::parse(text) {
        assert!(container.pid.is_none_or(|pid| pid > 0));
        assert!(container.values().all(|value| value.contains(':')));
    }
    let _ = answer::image_id(text);
    for pod in pod::parse(text).into_iter().flatten() {
        assert!(!pod.uid().is_empty() && pod.selectors(&["team".to_owned()]).count() >= 7);
        let _ = pod.container("9bca").map(pod::Container::selectors);
    }
});
