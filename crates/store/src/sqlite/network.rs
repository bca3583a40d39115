//! File systems of other machines, on which neither the locks nor the shared memory of WAL mode can be relied on.

use std::path::Path;

use model::ports::LogError;

/// Magic numbers of `statfs(2)`.
const NETWORKED: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0000_564c, "NCP"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x1983_0326, "BeeGFS"),
];
const FUSE: u32 = 0x6573_5546;

/// Refuses a directory on a network file system.
pub(super) fn refuse(directory: &Path) -> Result<(), LogError> {
    let Ok(found) = rustix::fs::statfs(directory) else { return Ok(()) };
    // The field's width differs between platforms; magic numbers have 32 bits.
    let magic = found.f_type as u32;
    if magic == FUSE {
        tracing::warn!(
            directory = %directory.display(),
            "The registry lies on a FUSE file system: make sure that it is of this machine, and honours locks and fsync"
        );
    }
    judge(magic, directory)
}

fn judge(magic: u32, directory: &Path) -> Result<(), LogError> {
    match NETWORKED.iter().find(|(number, _)| *number == magic) {
        None => Ok(()),
        Some((_, name)) => Err(LogError::Schema(format!(
            "{} lies on a network file system ({name}): SQLite's locks do not hold there, and the registry would be \
             damaged sooner or later; put it on a disk of this machine",
            directory.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_file_system_is_refused_by_name() {
        let told = judge(0x6969, Path::new("/mnt/share")).unwrap_err().to_string();
        assert!(told.contains("/mnt/share") && told.contains("NFS"), "{told}");
        assert!(judge(0xef53, Path::new("/var/lib")).is_ok());
    }

    #[test]
    fn the_temporary_directory_of_this_machine_is_accepted() {
        refuse(&std::env::temp_dir()).unwrap();
    }
}
