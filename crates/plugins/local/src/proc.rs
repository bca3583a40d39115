//! What `/proc/<pid>` says of a process.

use std::io;

/// The credentials of `/proc/<pid>/status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// The effective user.
    pub(crate) uid: u32,
    /// The effective group.
    pub(crate) gid: u32,
    /// The supplementary groups.
    pub(crate) groups: Vec<u32>,
}

impl Status {
    pub(crate) fn parse(text: &[u8]) -> io::Result<Self> {
        // the name of the program comes first and may hold any byte but a line feed: the kernel writes it as `\n`
        let line = |key: &[u8]| text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(key));
        let numbers = |key: &[u8]| -> io::Result<Vec<u32>> {
            let line = line(key).ok_or_else(|| malformed("a line of /proc/<pid>/status is missing"))?;
            let line = std::str::from_utf8(line).map_err(|_| malformed("/proc/<pid>/status is malformed"))?;
            let parsed = line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>();
            parsed.map_err(|_| malformed("/proc/<pid>/status holds no numbers where it should"))
        };
        // real, effective, saved, file system
        let effective = |key: &[u8]| -> io::Result<u32> {
            let four = numbers(key)?;
            four.get(1).copied().ok_or_else(|| malformed("/proc/<pid>/status is cut short"))
        };
        Ok(Self { uid: effective(b"Uid:")?, gid: effective(b"Gid:")?, groups: numbers(b"Groups:")? })
    }
}

/// The process that began this one, or took it over, from `/proc/<pid>/status`; zero if none that is visible here.
pub(crate) fn parent(text: &[u8]) -> io::Result<u32> {
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"PPid:"));
    let line = line.and_then(|line| std::str::from_utf8(line).ok()).and_then(|line| line.trim().parse().ok());
    line.ok_or_else(|| malformed("/proc/<pid>/status does not name the parent"))
}

/// What of `/proc/<pid>/stat` tells one process from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// When it began, in clock ticks since boot.
    pub(crate) began: u64,
    /// It runs no more, though its parent has not asked how it ended.
    pub(crate) ended: bool,
}

impl Stat {
    pub(crate) fn parse(text: &[u8]) -> io::Result<Self> {
        let cut = || malformed("/proc/<pid>/stat is malformed");
        // the second field is the program's name in parentheses, which may itself hold some
        let end = text.iter().rposition(|byte| *byte == b')').ok_or_else(cut)?;
        let rest = text.get(end + 1..).and_then(|rest| std::str::from_utf8(rest).ok()).ok_or_else(cut)?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // counted from field 3: state; threads are field 20, the start time is field 22
        let state = fields.first().ok_or_else(cut)?;
        let threads: u64 = fields.get(17).and_then(|it| it.parse().ok()).ok_or_else(cut)?;
        let began = fields.get(19).and_then(|it| it.parse().ok()).ok_or_else(cut)?;
        // a main thread that ended before the others looks dead too
        Ok(Self { began, ended: matches!(*state, "Z" | "X" | "x") && threads <= 1 })
    }
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_ids_are_read() {
        let text =
            b"Name:\tevil\\nUid:\t0\nUid:\t1000\t1001\t1002\t1003\nGid:\t5\t6\t7\t8\nGroups:\t10 20 \n";
        let seen = Status::parse(text).unwrap();
        assert_eq!(seen, Status { uid: 1001, gid: 6, groups: vec![10, 20] });
    }

    #[test]
    fn a_process_without_groups_has_none() {
        let seen = Status::parse(b"Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n").unwrap();
        assert_eq!(seen.groups, Vec::<u32>::new());
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = b"7 (a) Z 1 (b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 98765 1 2 3";
        assert_eq!(Stat::parse(text).unwrap(), Stat { began: 98765, ended: false });
    }

    #[test]
    fn a_zombie_has_ended_unless_other_threads_live() {
        let zombie = |threads: u32| format!("7 (x) Z 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 11 0");
        assert!(Stat::parse(zombie(1).as_bytes()).unwrap().ended);
        assert!(!Stat::parse(zombie(4).as_bytes()).unwrap().ended);
    }

    #[test]
    fn the_parent_is_read() {
        assert_eq!(parent(b"Name:\tx\nPPid:\t41\nTracerPid:\t7\n").unwrap(), 41);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Stat::parse(b"").is_err());
        assert!(Stat::parse(b"7 (x) R 1").is_err());
        assert!(Status::parse(b"Uid:\tx\n").is_err());
        assert!(parent(b"Name:\tPPid:\n").is_err());
    }
}
