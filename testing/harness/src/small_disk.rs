//! A file system of its own, to be filled or made read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ran::Ran;
use crate::skip::Missing;

/// A tmpfs of a few megabytes, unmounted when dropped. Declare it after the domain, so that it goes first.
#[derive(Debug)]
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts one at `at`.
    ///
    /// # Errors
    /// [`Missing::Tool`] when this user may not mount.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn mount(at: &Path, megabytes: u32) -> Result<Self, Missing> {
        fs::create_dir_all(at).expect("a folder can be made in a temporary one");
        let size = format!("size={megabytes}m,mode=0755");
        let ran = Ran::run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at));
        match ran.ok() {
            true => Ok(Self { at: at.to_path_buf() }),
            false => Err(Missing::Tool(format!("no file system can be mounted: {}", ran.stderr.trim()))),
        }
    }

    /// Writes until there is no room left.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub fn fill(&self) {
        use std::io::Write as _;
        let mut file = fs::File::create(self.filler()).expect("a file can be made while there is room");
        for size in [64 * 1024, 512] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn empty(&self) {
        let _ = fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// From now on nothing can be written. Whatever is open for writing must be closed first.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn make_read_only(&self) {
        Ran::run(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.at)).succeeds();
    }

    /// Writing is possible again.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn make_writable(&self) {
        Ran::run(Command::new("mount").args(["-o", "remount,rw"]).arg(&self.at)).succeeds();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
