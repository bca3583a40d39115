use std::collections::{HashMap, VecDeque};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{Context, SHA256};

use crate::hex::hex;

/// How many digests are kept.
const MOST: usize = 1024;
/// A file younger than this may still be written within the grain of its time stamps: its digest is not kept.
const SETTLED: Duration = Duration::from_secs(2);
/// The file system type of FUSE, where whoever mounted it makes up all that [`Key`] consists of.
const FUSE: u64 = 0x6573_5546;

/// The program that a process runs, held open: whatever happens to its path, this is what was executed.
pub(super) struct Executable {
    link: PathBuf,
    file: File,
    key: Key,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    dev: u64,
    ino: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Key {
    fn of(about: &Metadata) -> Self {
        Self {
            dev: about.dev(),
            ino: about.ino(),
            size: about.size(),
            mtime: (about.mtime(), about.mtime_nsec()),
            ctime: (about.ctime(), about.ctime_nsec()),
        }
    }

    /// Whether no later write can leave the file looking the same.
    fn settled(&self, now: SystemTime) -> bool {
        let since = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age >= SETTLED);
        u64::try_from(self.ctime.0).is_ok_and(|seconds| {
            since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.saturating_add(1)))
        })
    }
}

impl PartialEq for Executable {
    fn eq(&self, other: &Self) -> bool {
        self.link == other.link && self.key == other.key
    }
}

impl Executable {
    /// Of the process whose folder in `/proc` this is.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let exe = folder.join("exe");
        let link = std::fs::read_link(&exe)?;
        let file = File::open(&exe)?;
        let key = Key::of(&file.metadata()?);
        Ok(Self { link, file, key })
    }

    /// Where it was executed from, as `/proc` prints it: ` (deleted)` follows when it is gone from there (as in SPIRE
    /// 1.16). Fails when it is not UTF-8.
    pub(super) fn path(&self) -> io::Result<&str> {
        let fault = || io::Error::new(io::ErrorKind::InvalidData, "the path of the executable is not UTF-8");
        self.link.to_str().ok_or_else(fault)
    }

    /// Reads all of it, but no more than `limit` bytes.
    fn hash(&self, limit: Option<u64>) -> io::Result<String> {
        let mut context = Context::new(&SHA256);
        let mut piece = vec![0; 64 * 1024];
        let mut total: u64 = 0;
        loop {
            let length = match self.file.read_at(&mut piece, total) {
                Ok(0) => break,
                Ok(length) => length,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            total += length as u64;
            self.within(total, limit)?;
            context.update(piece.get(..length).unwrap_or_default());
        }
        if Key::of(&self.file.metadata()?) != self.key {
            return Err(io::Error::other(format!("{} was written while it was read", self.link.display())));
        }
        Ok(hex(context.finish().as_ref()))
    }

    fn within(&self, size: u64, limit: Option<u64>) -> io::Result<()> {
        match limit {
            Some(limit) if size > limit => {
                let path = self.link.display();
                Err(io::Error::other(format!("workload {path} exceeds size limit ({size} > {limit})")))
            }
            _ => Ok(()),
        }
    }

    fn may_be_kept(&self) -> bool {
        let kind = rustix::fs::fstatfs(&self.file).map(|about| about.f_type);
        let fuse = kind.map_or(true, |kind| u64::try_from(kind).is_ok_and(|kind| kind == FUSE));
        !fuse && self.key.settled(SystemTime::now())
    }
}

/// The digests of executables that were hashed lately.
#[derive(Default)]
pub(super) struct Digests(Mutex<Kept>);

/// A digest that is there, or will be when the lock can be had.
type Slot = Arc<Mutex<Option<String>>>;

#[derive(Default)]
struct Kept {
    by_key: HashMap<Key, Slot>,
    oldest_first: VecDeque<Key>,
}

impl Digests {
    /// SHA-256 in hex of an executable that is no larger than `limit`. May block for as long as reading it takes;
    /// who asks for one that is being hashed waits for that.
    pub(super) fn of(&self, executable: &Executable, limit: Option<u64>) -> io::Result<String> {
        executable.within(executable.key.size, limit)?;
        if !executable.may_be_kept() {
            return executable.hash(limit);
        }
        let slot = self.slot(executable.key);
        let mut digest = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = digest.as_ref() {
            return Ok(digest.clone());
        }
        let fresh = executable.hash(limit)?;
        *digest = Some(fresh.clone());
        Ok(fresh)
    }

    fn slot(&self, key: Key) -> Slot {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.by_key.get(&key) {
            return Arc::clone(slot);
        }
        if kept.by_key.len() >= MOST
            && let Some(oldest) = kept.oldest_first.pop_front()
        {
            kept.by_key.remove(&oldest);
        }
        let slot = Slot::default();
        kept.by_key.insert(key, Arc::clone(&slot));
        kept.oldest_first.push_back(key);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process's folder in which `exe` leads to this program.
    fn running(program: &Path) -> (tempfile::TempDir, Executable) {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(program, folder.path().join("exe")).unwrap();
        let executable = Executable::of(folder.path()).unwrap();
        (folder, executable)
    }

    fn kept(digests: &Digests) -> usize {
        digests.0.lock().unwrap().by_key.len()
    }

    #[test]
    fn an_old_program_is_hashed_once() {
        let (_folder, executable) = running(Path::new("/bin/sh"));
        let digests = Digests::default();
        let first = digests.of(&executable, None).unwrap();
        assert_eq!(kept(&digests), 1);
        // what is kept is what is answered
        *digests.slot(executable.key).lock().unwrap() = Some("kept".to_owned());
        assert_eq!(digests.of(&executable, None).unwrap(), "kept");
        assert_eq!(first.len(), 64);
    }

    #[test]
    fn a_kept_digest_does_not_lift_the_limit() {
        let (_folder, executable) = running(Path::new("/bin/sh"));
        let digests = Digests::default();
        digests.of(&executable, None).unwrap();
        assert!(digests.of(&executable, Some(1)).is_err());
    }

    #[test]
    fn a_program_that_may_still_be_written_is_not_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (_folder, executable) = running(file.path());
        let digests = Digests::default();
        digests.of(&executable, None).unwrap();
        assert_eq!(kept(&digests), 0);
        let now = SystemTime::now();
        assert!(!executable.key.settled(now));
        assert!(executable.key.settled(now + SETTLED + Duration::from_secs(2)));
        assert!(!executable.key.settled(now - Duration::from_secs(3600)));
    }

    #[test]
    fn a_program_written_while_it_is_hashed_has_no_digest() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (_folder, executable) = running(file.path());
        std::fs::write(file.path(), "more").unwrap();
        assert!(executable.hash(None).is_err());
    }

    #[test]
    fn the_room_for_digests_is_bounded_and_the_oldest_goes() {
        let digests = Digests::default();
        let key = |ino| Key { dev: 1, ino, size: 1, mtime: (0, 0), ctime: (0, 0) };
        for ino in 0..MOST as u64 + 3 {
            *digests.slot(key(ino)).lock().unwrap() = Some(ino.to_string());
        }
        assert_eq!(kept(&digests), MOST);
        assert_eq!(digests.0.lock().unwrap().oldest_first.len(), MOST);
        assert!(!digests.0.lock().unwrap().by_key.contains_key(&key(2)));
        assert!(digests.0.lock().unwrap().by_key.contains_key(&key(3)));
    }
}
