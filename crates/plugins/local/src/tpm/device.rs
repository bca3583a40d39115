//! Where a TPM is reached: a device of the kernel, or the socket of a software TPM.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::{HEADER, MAX_ANSWER};

/// How long a command may take: making an RSA key is the slowest.
const DEADLINE: Duration = Duration::from_secs(60);

/// A way to a TPM.
pub(crate) enum Device {
    /// A device, which is the kernel's resource manager (`/dev/tpmrm0`) or the bare TPM (`/dev/tpm0`).
    File(File),
    /// A socket, connected to for each command, since software TPMs serve one client at a time.
    Socket(PathBuf),
}

impl Device {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_char_device() {
            return OpenOptions::new().read(true).write(true).open(path).map(Self::File);
        }
        match kind.is_socket() {
            true => Ok(Self::Socket(path.to_owned())),
            false => Err(io::Error::other("it is neither a device nor a socket")),
        }
    }

    /// Sends a command and waits for its answer. Blocks.
    pub(crate) fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::File(file) => {
                file.write_all(command)?;
                // a device gives an answer in one piece
                let mut answer = vec![0; MAX_ANSWER];
                let length = file.read(&mut answer)?;
                answer.truncate(length);
                Ok(answer)
            }
            Self::Socket(path) => {
                let mut stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                stream.set_write_timeout(Some(DEADLINE))?;
                stream.write_all(command)?;
                read(&mut stream)
            }
        }
    }
}

/// An answer of a stream, which says its length.
fn read(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut answer = vec![0; HEADER];
    stream.read_exact(&mut answer)?;
    let size = answer.get(2..6).and_then(|size| <[u8; 4]>::try_from(size).ok()).map_or(0, u32::from_be_bytes);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if !(HEADER..=MAX_ANSWER).contains(&size) {
        return Err(io::Error::other("it does not speak as a TPM does"));
    }
    answer.resize(size, 0);
    stream.read_exact(answer.get_mut(HEADER..).unwrap_or_default())?;
    Ok(answer)
}

/// The only TPM of the machine in this folder, which is `/dev`: one with a resource manager if there is one.
pub(crate) fn detect(folder: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(folder).map_err(|cause| cause.to_string())?;
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    for prefix in ["tpmrm", "tpm"] {
        let number = |name: &&String| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_digit()))
        };
        let mut found = names.iter().filter(number);
        match (found.next(), found.next()) {
            (Some(name), None) => return Ok(folder.join(name)),
            (Some(_), Some(_)) => {
                return Err("more than one possible TPM device was found; set tpm_device_path".to_owned());
            }
            (None, _) => {}
        }
    }
    Err("not found".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_device_with_a_resource_manager_is_found_first() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
        assert_eq!(detect(folder.path()), Err("not found".to_owned()));
        put("tpm");
        put("tpmx0");
        assert_eq!(detect(folder.path()), Err("not found".to_owned()));
        put("tpm0");
        assert_eq!(detect(folder.path()), Ok(folder.path().join("tpm0")));
        put("tpmrm0");
        assert_eq!(detect(folder.path()), Ok(folder.path().join("tpmrm0")));
        put("tpmrm1");
        assert!(detect(folder.path()).unwrap_err().starts_with("more than one"));
    }
}
