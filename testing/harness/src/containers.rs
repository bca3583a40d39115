//! What engines of containers have in common.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::locate;
use crate::ran::Ran;
use crate::skip::Missing;

/// What the image of a test's engine is called.
pub(crate) const IMAGE: &str = "rig/base:1";

/// An engine of the test's own, with one image of a shell and a few programs.
pub trait Containers {
    /// Runs one of its commands.
    #[must_use = "a test looks at how a command ended"]
    fn cli(&self, arguments: &[&str]) -> Ran;

    /// Starts a container that sleeps, with the programs under test and a folder of sockets at `/run/spiffe`.
    ///
    /// # Panics
    /// When it does not start.
    fn run(&self, name: &str, sockets: &Path, more: &[&str]) {
        let bind = |from: &Path, to: &str| format!("{}:{to}:ro", from.display());
        let program = locate::bonafide();
        let mut mounts = vec![
            bind(program.parent().expect("a program stands in a folder"), "/programs"),
            format!("{}:/run/spiffe", sockets.display()),
        ];
        // the program is linked with the machine's libraries
        mounts.extend(["/lib", "/lib64", "/usr/lib"].map(|at| bind(Path::new(at), at)));
        let mut arguments = vec!["run", "-d", "--name", name, "--net", "none"];
        mounts.iter().for_each(|mount| arguments.extend(["-v", mount]));
        arguments.extend(more);
        arguments.extend([IMAGE, "/bin/sleep", "3600"]);
        self.cli(&arguments).succeeds();
    }

    /// Asks for an X.509-SVID from within a container.
    #[must_use = "a test looks at how a command ended"]
    fn fetch(&self, name: &str) -> Ran {
        let program = locate::bonafide();
        let file = program.file_name().and_then(|file| file.to_str()).expect("the program has a name");
        let program = format!("/programs/{file}");
        let socket = "/run/spiffe/api.sock";
        self.cli(&["exec", name, &program, "agent", "api", "fetch", "x509", "-socketPath", socket])
    }

    /// What the engine says of a container, by a template such as `{{.Id}}`.
    ///
    /// # Panics
    /// When there is no such container.
    #[must_use]
    fn inspect(&self, name: &str, template: &str) -> String {
        self.cli(&["inspect", "-f", template, name]).succeeds().stdout.trim().to_owned()
    }
}

/// The files of an image, as a tar file in `folder`.
pub(crate) fn image(folder: &Path) -> PathBuf {
    let root = folder.join("root-of-image");
    fs::create_dir_all(root.join("bin")).expect("a folder can be made in a temporary one");
    let busybox = available("busybox").expect("it was looked for before");
    fs::copy(busybox, root.join("bin/busybox")).expect("the program can be copied");
    for name in ["sh", "sleep", "cat", "true"] {
        symlink("busybox", root.join("bin").join(name)).expect("the name is free");
    }
    let tar = folder.join("image.tar");
    Ran::run(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".")).succeeds();
    tar
}

/// Unmounts what an engine that was ended leaves behind.
pub(crate) fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let below = |at: &&str| Path::new(at).starts_with(folder);
    for at in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(below) {
        let _ = Command::new("umount").arg("-l").arg(at).status();
    }
}

/// Where a program is on the path.
pub(crate) fn available(program: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists());
    found
        .ok_or_else(|| Missing::Tool(format!("{program} is missing: scripts/install-test-tools installs it")))
}
