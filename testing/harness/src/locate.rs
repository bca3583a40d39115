//! Where the programs under test stand.

use std::path::PathBuf;

use crate::skip::Missing;

/// `target/debug`, two folders above the running test.
pub(crate) fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.ancestors().nth(2).expect("cargo keeps tests in deps/ of the profile's folder");
    folder.to_path_buf()
}

/// What `scripts/install-test-tools` has built.
pub(crate) fn clients_folder() -> PathBuf {
    let profile = profile_folder();
    profile.parent().expect("the profile's folder stands in the target folder").join("clients")
}

/// The program under test: `BONAFIDE_BIN`, or the one that cargo built beside the test.
pub(crate) fn bonafide() -> PathBuf {
    let path = match std::env::var_os("BONAFIDE_BIN") {
        Some(path) => PathBuf::from(path),
        None => profile_folder().join("bonafide"),
    };
    assert!(path.exists(), "{} is missing: cargo build --bin bonafide", path.display());
    path
}

/// A program of SPIRE, in the folder that `SPIRE_BIN` names.
pub(crate) fn spire(program: &str) -> Result<PathBuf, Missing> {
    let folder = std::env::var_os("SPIRE_BIN").filter(|folder| !folder.is_empty());
    let folder =
        folder.ok_or_else(|| Missing::Peer("SPIRE_BIN does not name a folder of SPIRE's programs".into()))?;
    let path = PathBuf::from(folder).join(program);
    assert!(path.exists(), "SPIRE_BIN is set, but there is no {}", path.display());
    Ok(path)
}
