//! Requests without a pause, and what became of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use harness::ask;

/// Requests without a pause, until it is finished.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
    failures: Arc<Mutex<Vec<String>>>,
}

impl Load {
    /// Asks a port from so many threads; each answer's head must have all of `wanted`.
    pub(crate) fn start(port: u16, threads: usize, wanted: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let failures = Arc::new(Mutex::new(Vec::new()));
        let threads = (0..threads).map(|_| {
            let (stop, failures, wanted) = (stop.clone(), failures.clone(), wanted.to_vec());
            std::thread::spawn(move || {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    count += 1;
                    let answer = ask(port, "/", "");
                    let good = answer.as_ref().is_some_and(|one| {
                        one.status == 200 && wanted.iter().all(|it| one.head.contains(it))
                    });
                    if !good {
                        failures.lock().unwrap().push(format!("request {count}: {answer:?}"));
                    }
                }
                count
            })
        });
        let threads = threads.collect();
        Self { stop, threads, failures }
    }

    /// How many requests there were, none of which failed.
    pub(crate) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let count = self.threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        let failures = self.failures.lock().unwrap();
        assert!(
            failures.is_empty(),
            "{} of {count} requests failed: {:#?}",
            failures.len(),
            failures.first()
        );
        count
    }
}
