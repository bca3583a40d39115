//! What a process has used, read from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

use crate::fault::Fault;

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The process of `-pid`, if it was given.
    pub(crate) fn given(pid: i64) -> Result<Option<Self>, Fault> {
        match u32::try_from(pid) {
            Ok(0) => Ok(None),
            Ok(pid) => Ok(Some(Self(pid))),
            Err(_) => Err(Fault::Usage(format!("-pid {pid} is no process id"))),
        }
    }

    /// Its processor time so far, of all threads, in user and system mode.
    pub(crate) fn cpu(self) -> Result<Duration, Fault> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).ok_or_else(|| self.fault(io::ErrorKind::InvalidData.into()))?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_millis(ticks * 1000 / per_second.max(1)))
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(self) -> Result<u64, Fault> {
        let status = self.read("status")?;
        resident(&status).ok_or_else(|| self.fault(io::ErrorKind::InvalidData.into()))
    }

    /// Waits until it has rested for a second, at most as long as `patience`. Tells whether it rests.
    pub(crate) async fn rest(self, patience: Duration) -> Result<bool, Fault> {
        let end = tokio::time::Instant::now() + patience;
        let mut before = self.cpu()?;
        while tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.cpu()?;
            if now.saturating_sub(before) <= Duration::from_millis(20) {
                return Ok(true);
            }
            before = now;
        }
        Ok(false)
    }

    fn read(self, name: &str) -> Result<String, Fault> {
        fs::read_to_string(format!("/proc/{}/{name}", self.0)).map_err(|cause| self.fault(cause))
    }

    fn fault(self, cause: io::Error) -> Fault {
        Fault::Process { pid: self.0, cause }
    }
}

/// Fields 14 and 15, counted after the name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(") ")?;
    let mut fields = after.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_of_any_kind() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"), Some(2_097_152));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let own = Process(std::process::id());
        assert!(own.resident().unwrap() > 0);
        own.cpu().unwrap();
    }
}
