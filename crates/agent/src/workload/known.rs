//! Processes that were attested before: each is found out about once for each program that it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Selectors;
use model::ports::{Peer, Print};

/// How many processes are remembered. Each holds a descriptor of its process.
const MOST: usize = 2048;
/// From how many on those that have ended are looked for.
const FEW: usize = 64;

/// What each attestor said, in their order; none where it failed, or where its answers do not last.
pub(super) type Answers = Vec<Option<Selectors>>;

/// What was found out about processes, until they end or become another program.
#[derive(Default)]
pub(super) struct Known(Mutex<Processes>);

#[derive(Default)]
struct Processes {
    by_pid: HashMap<i32, Process>,
    /// At how many those that have ended are looked for next.
    sweep_at: usize,
    /// Counts the questions, to know which process asked longest ago.
    clock: u64,
}

struct Process {
    /// While this one lives, its pid is nobody else's.
    peer: Arc<dyn Peer>,
    print: Print,
    answers: Answers,
    /// All answers together, if each attestor gave one that lasts.
    whole: Option<Selectors>,
    used: u64,
}

/// What is known of a process.
pub(super) enum Memory {
    /// All there is to know.
    Whole(Selectors),
    /// What some attestors said.
    Part(Answers),
    /// Nothing.
    Nothing,
}

impl Known {
    /// What is known of the process that `peer` pins, which looks like `print` now.
    pub(super) fn recall(&self, peer: &dyn Peer, print: &Print) -> Memory {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clock += 1;
        let now = all.clock;
        let Some(process) = all.by_pid.get_mut(&peer.pid()).filter(|process| process.is(peer, print)) else {
            return Memory::Nothing;
        };
        process.used = now;
        match &process.whole {
            Some(whole) => Memory::Whole(whole.clone()),
            None => Memory::Part(process.answers.clone()),
        }
    }

    /// Remembers what was found out while the process looked like `print`.
    pub(super) fn keep(&self, peer: Arc<dyn Peer>, print: Print, answers: Answers, whole: Option<Selectors>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clock += 1;
        let used = all.clock;
        let pid = peer.pid();
        all.make_room(pid);
        all.by_pid.insert(pid, Process { peer, print, answers, whole, used });
    }
}

impl Process {
    /// Whether this is the process that `peer` pins: it lives, so that its pid is its own, connected with the same
    /// rights, and looks as it did.
    fn is(&self, peer: &dyn Peer, print: &Print) -> bool {
        let owner = |peer: &dyn Peer| (peer.uid(), peer.gid());
        self.print == *print && owner(peer) == owner(self.peer.as_ref()) && self.peer.check().is_ok()
    }
}

impl Processes {
    fn make_room(&mut self, pid: i32) {
        if self.by_pid.len() >= self.sweep_at.max(FEW) {
            self.by_pid.retain(|_, process| process.peer.check().is_ok());
            self.sweep_at = (2 * self.by_pid.len()).min(MOST);
        }
        if self.by_pid.len() >= MOST && !self.by_pid.contains_key(&pid) {
            let oldest = self.by_pid.iter().min_by_key(|(_, process)| process.used).map(|(pid, _)| *pid);
            oldest.and_then(|pid| self.by_pid.remove(&pid));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use model::Selector;
    use model::ports::AttestError;

    use super::*;

    struct Somebody {
        pid: i32,
        uid: u32,
        alive: Arc<AtomicBool>,
    }

    impl Peer for Somebody {
        fn pid(&self) -> i32 {
            self.pid
        }
        fn uid(&self) -> u32 {
            self.uid
        }
        fn gid(&self) -> u32 {
            0
        }
        fn check(&self) -> Result<(), AttestError> {
            let alive = self.alive.load(Ordering::Relaxed);
            alive.then_some(()).ok_or_else(|| AttestError::Denied("ended".to_owned()))
        }
    }

    fn somebody(pid: i32, uid: u32) -> (Arc<dyn Peer>, Arc<AtomicBool>) {
        let alive = Arc::new(AtomicBool::new(true));
        (Arc::new(Somebody { pid, uid, alive: alive.clone() }), alive)
    }

    fn print(text: &str) -> Print {
        Print::of(text.as_bytes().to_vec())
    }

    fn found() -> Selectors {
        [Selector::parse("unix:uid:7").unwrap()].into_iter().collect()
    }

    fn knows(known: &Known, peer: &Arc<dyn Peer>, as_print: &str) -> bool {
        matches!(known.recall(peer.as_ref(), &print(as_print)), Memory::Whole(_))
    }

    fn keep(known: &Known, peer: &Arc<dyn Peer>) {
        known.keep(peer.clone(), print("sh"), vec![Some(found())], Some(found()));
    }

    #[test]
    fn a_process_is_known_until_it_looks_otherwise() {
        let known = Known::default();
        let (peer, _) = somebody(7, 1);
        assert!(!knows(&known, &peer, "sh"));
        keep(&known, &peer);
        assert!(knows(&known, &peer, "sh"));
        assert!(!knows(&known, &peer, "python"));
    }

    #[test]
    fn a_process_that_got_the_pid_of_one_that_ended_is_not_taken_for_it() {
        let known = Known::default();
        let (first, alive) = somebody(7, 1);
        keep(&known, &first);
        alive.store(false, Ordering::Relaxed);
        let (second, _) = somebody(7, 1);
        assert!(!knows(&known, &second, "sh"));
    }

    #[test]
    fn a_connection_with_other_rights_is_looked_at_by_itself() {
        let known = Known::default();
        keep(&known, &somebody(7, 1).0);
        assert!(!knows(&known, &somebody(7, 2).0, "sh"));
    }

    #[test]
    fn what_some_attestors_said_is_kept_without_the_rest() {
        let known = Known::default();
        let (peer, _) = somebody(7, 1);
        known.keep(peer.clone(), print("sh"), vec![Some(found()), None], None);
        let Memory::Part(answers) = known.recall(peer.as_ref(), &print("sh")) else {
            panic!("a part is known")
        };
        assert_eq!(answers, [Some(found()), None]);
    }

    #[test]
    fn the_room_is_bounded_and_who_asked_longest_ago_goes() {
        let known = Known::default();
        let most = i32::try_from(MOST).unwrap();
        let peers: Vec<_> = (1..=most).map(|pid| somebody(pid, 1).0).collect();
        peers.iter().for_each(|peer| keep(&known, peer));
        assert!(knows(&known, &peers[0], "sh"));
        keep(&known, &somebody(most + 1, 1).0);
        assert_eq!(known.0.lock().unwrap().by_pid.len(), MOST);
        assert!(knows(&known, &peers[0], "sh"));
        assert!(!knows(&known, &peers[1], "sh"));
    }

    #[test]
    fn processes_that_ended_are_forgotten_as_others_come() {
        let known = Known::default();
        for pid in 1..=500 {
            let (peer, alive) = somebody(pid, 1);
            keep(&known, &peer);
            alive.store(false, Ordering::Relaxed);
        }
        assert!(known.0.lock().unwrap().by_pid.len() <= FEW);
    }
}
