//! Files that commands read and write.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::fault::Fault;
use crate::terminal::Terminal;

/// Whom a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner alone: keys and tokens, mode 0600.
    Owner,
    /// Everyone: certificates, mode 0644.
    All,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }
}

/// Creates or replaces a file. A file that is there already gets the mode too, before the first byte of a secret.
pub(crate) fn write(path: &Path, content: &[u8], readers: Readers) -> Result<(), Fault> {
    let failed = |cause| Fault::File { doing: "write", path: path.to_owned(), cause };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(readers.mode())
        .open(path)
        .map_err(failed)?;
    if readers == Readers::Owner {
        file.set_permissions(fs::Permissions::from_mode(readers.mode())).map_err(failed)?;
    }
    file.write_all(content).map_err(failed)
}

/// The content of a file; of the standard input where the name is `-`.
pub(crate) fn read_or_input(path: &str, terminal: &mut Terminal<'_>) -> Result<Vec<u8>, Fault> {
    if path != "-" {
        return fs::read(path).map_err(Fault::read(path));
    }
    let mut content = Vec::new();
    terminal.input.read_to_end(&mut content).map_err(Fault::read("the standard input"))?;
    Ok(content)
}

/// How to call a path that may be `-`.
pub(crate) fn name(path: &str) -> String {
    if path == "-" { "the standard input".to_owned() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_is_for_its_owner_even_where_the_file_was_open_to_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "old and long").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, b"new", Readers::Owner).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), 0o600));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let fault = write(Path::new("/nowhere/at/all"), b"", Readers::All).unwrap_err();
        assert!(fault.to_string().starts_with("cannot write /nowhere/at/all: "));
        assert_eq!(fault.hint().as_deref(), Some("make the folder first; it is not made for you"));
    }
}
