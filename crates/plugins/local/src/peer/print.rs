use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use model::ports::Print;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use crate::proc::Status;

/// The longest text of `/proc` that is read. A process lies in a dozen control groups; the path of each is shorter than
/// 4 KiB.
const MOST: u64 = 64 * 1024;

/// What attestation goes by, of the process that has this pid now. Who asks makes sure that it is the right one.
///
/// Cheap, and never waits for whoever serves the file system of the executable: what the kernel knows of the file is
/// enough, since a file that is being executed cannot be written, and one that is replaced is another file.
pub(super) fn of(pid: i32) -> Option<Print> {
    let folder = Path::new("/proc").join(pid.to_string());
    let status = Status::parse(&read(&folder.join("status"))?).ok()?;
    let exe = folder.join("exe");
    let link = std::fs::read_link(&exe).ok()?;
    let about = statx(CWD, &exe, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS).ok()?;
    let cgroup = read(&folder.join("cgroup"))?;
    let file = (about.stx_dev_major, about.stx_dev_minor, about.stx_ino, about.stx_size);
    let times =
        (about.stx_mtime.tv_sec, about.stx_mtime.tv_nsec, about.stx_ctime.tv_sec, about.stx_ctime.tv_nsec);
    // numbers first: no text can look like another's numbers
    let mut bytes = format!("{status:?} {file:?} {times:?} {}\0", link.as_os_str().len()).into_bytes();
    bytes.extend(link.as_os_str().as_bytes());
    bytes.extend(cgroup);
    Some(Print::of(bytes))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut text).ok()?;
    (u64::try_from(text.len()).ok()? < MOST).then_some(text)
}
