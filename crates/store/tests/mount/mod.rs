//! Small file systems, where the test may mount any (as root); elsewhere their tests are passed over.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted file system, taken off when dropped.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// A file system of that size in memory, on `directory`.
    pub(super) fn of_size(directory: &Path, size: &str) -> Option<Self> {
        let size = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], directory).then(|| Self(directory.to_owned()))
    }

    /// `directory` over itself, but read-only.
    pub(super) fn read_only(directory: &Path) -> Option<Self> {
        let itself = directory.to_str()?;
        let mounted = mount(&["--bind", itself], directory).then(|| Self(directory.to_owned()))?;
        mount(&["-o", "remount,bind,ro"], directory).then_some(mounted)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it `ro` or `rw`, once nothing is open for writing any more.
    pub(super) fn remount(&self, mode: &str) {
        let options = format!("remount,{mode}");
        let tries = || std::thread::sleep(std::time::Duration::from_millis(20));
        let done = (0..100).any(|_| mount(&["-o", &options], &self.0) || (tries(), false).1);
        assert!(done, "it cannot be remounted {mode}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], on: &Path) -> bool {
    let status = Command::new("mount").args(args).arg(on).stderr(Stdio::null()).status();
    let done = status.is_ok_and(|status| status.success());
    if !done {
        eprintln!("passed over: this test needs to mount a file system, for which it must be root");
    }
    done
}
