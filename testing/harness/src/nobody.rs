//! Another user of the same machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::locate;
use crate::ran::Ran;
use crate::skip::Missing;

const NOBODY: u32 = 65534;

/// Runs the program under test as the user `nobody`.
#[derive(Debug)]
pub struct Nobody {
    program: PathBuf,
}

impl Nobody {
    /// Copies the program to where `nobody` may run it, and opens `folder` for it.
    ///
    /// # Errors
    /// [`Missing::Tool`] when this user may not become another.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn in_folder(folder: &Path) -> Result<Self, Missing> {
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::Tool("only root can become another user".to_owned()));
        }
        let program = folder.join("bonafide-of-nobody");
        fs::copy(locate::bonafide(), &program).expect("the program can be copied");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        Ok(Self { program })
    }

    /// Runs the program to its end.
    #[must_use = "a test looks at how a command ended"]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::run(Command::new(&self.program).args(arguments).current_dir("/").uid(NOBODY).gid(NOBODY))
    }
}
