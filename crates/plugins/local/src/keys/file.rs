//! The file of the `disk` key manager: `{"keys": {"<id>": "<base64 of PKCS#8 DER>"}}`, as SPIRE 1.16 writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use model::ports::KeyError;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use spiffe::key::PrivateKey;
use zeroize::Zeroizing;

use super::held::Keys;

/// The largest file that is read. A key of 4096 bits takes 3.2 kB; a server holds a dozen.
const MAX_FILE: u64 = 4 * 1024 * 1024;
const MODE: u32 = 0o600;

#[derive(serde::Serialize, serde::Deserialize)]
struct Contents {
    keys: Option<BTreeMap<String, Base64>>,
}

/// A key in base64, wiped when dropped.
struct Base64(Zeroizing<String>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Base64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key in base64")
            }
            fn visit_str<E>(self, text: &str) -> Result<Base64, E> {
                Ok(Base64(Zeroizing::new(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// Reads the keys; none when there is no file.
pub(super) fn load(path: &Path) -> Result<Keys, KeyError> {
    let unreadable = |why: String| KeyError::Unreadable { place: path.display().to_string(), why };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Keys::new()),
        Err(cause) => return Err(unreadable(format!("{cause}; check its owner and mode"))),
    };
    let about = file.metadata().map_err(|cause| unreadable(cause.to_string()))?;
    if !about.is_file() {
        return Err(unreadable("it is not a regular file; name a file, not a folder".to_owned()));
    }
    if about.len() > MAX_FILE {
        return Err(unreadable(format!("it is {} bytes long, which no file of keys is", about.len())));
    }
    warn_if_others_can_read(path, about.permissions().mode());
    // room for all of it at once, so that no copy of a key stays behind when the buffer grows
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0) + 1));
    (&mut file).take(MAX_FILE).read_to_end(&mut text).map_err(|cause| unreadable(cause.to_string()))?;
    parse(&text).map_err(|fault| unreadable(format!("{fault}; {ADVICE}")))
}

/// SPIRE never asks, and there are file systems that show every file as 0777 and let nobody change it; so this is
/// said and not refused. The next key that is made puts the mode right.
fn warn_if_others_can_read(path: &Path, mode: u32) {
    if mode & 0o077 != 0 {
        let mode = format!("{:04o}", mode & 0o7777);
        tracing::warn!(
            path = %path.display(),
            mode,
            "Others on this machine can read or write the private keys in this file; set its mode to 0600"
        );
    }
}

const ADVICE: &str = "put back a copy from before it was damaged, or move the file away to start with new keys (a \
                      server then makes a new CA that every node has to learn, an agent attests anew)";

fn parse(text: &[u8]) -> Result<Keys, String> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    let contents: Contents = serde_json::from_slice(text).map_err(|cause| {
        // never the message itself: it may quote what stands in the file
        format!(
            "it is not JSON as a key manager writes it (line {}, column {})",
            cause.line(),
            cause.column()
        )
    })?;
    let key = |(id, text): (String, Base64)| {
        let der = BASE64_STANDARD.decode(text.0.as_bytes()).map(Zeroizing::new);
        let der = der.map_err(|_| format!("the key \"{id}\" is not base64"))?;
        let key = PrivateKey::from_pkcs8(&der)
            .map_err(|why| format!("the key \"{id}\" is no usable key: {why}"))?;
        Ok((id, Arc::new(key)))
    };
    contents.keys.unwrap_or_default().into_iter().map(key).collect()
}

/// Replaces the file as a whole: after a crash it holds either the old keys or the new.
pub(super) fn save(path: &Path, keys: &Keys) -> Result<(), KeyError> {
    replace(path, &print(keys).map_err(|why| unwritable(path, why))?)
}

/// As [`save`], with any text.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), KeyError> {
    // a link (to a volume, say) stays one; what it points to is replaced
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&target);
    let mut temporary = target.clone().into_os_string();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let written = write_new(&temporary, text)
        .and_then(|()| fs::rename(&temporary, &target))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map_err(|cause| {
        // whatever was written holds keys; if it cannot be removed the error below says where to look
        let _ = fs::remove_file(&temporary);
        unwritable(path, hint(&cause, folder))
    })
}

fn print(keys: &Keys) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut printed = BTreeMap::new();
    let mut length = 64;
    for (id, key) in keys {
        let der = key.to_pkcs8();
        let text = Zeroizing::new(BASE64_STANDARD.encode(der.as_slice()));
        length += text.len() + id.len() * 6 + 16;
        printed.insert(id.clone(), Base64(text));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    let form = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut to = serde_json::Serializer::with_formatter(&mut *text, form);
    Contents { keys: Some(printed) }.serialize(&mut to).map_err(|cause| cause.to_string())?;
    Ok(text)
}

fn write_new(temporary: &Path, text: &[u8]) -> io::Result<()> {
    // what a crash left behind; and nothing that somebody else put there is written through
    match fs::remove_file(temporary) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(temporary)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text)?;
    file.sync_all()
}

/// Makes an agent's folder and tries whether it can be written.
pub(super) fn make_directory(directory: &Path) -> Result<(), KeyError> {
    let tried = DirBuilder::new().recursive(true).mode(0o700).create(directory).and_then(|()| {
        let probe = directory.join(".probe");
        OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&probe)?;
        fs::remove_file(&probe)
    });
    tried.map_err(|cause| unwritable(&directory.join("keys.json"), hint(&cause, directory)))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, why: String) -> KeyError {
    KeyError::Unwritable { place: path.display().to_string(), why }
}

fn hint(cause: &io::Error, folder: &Path) -> String {
    let folder = folder.display();
    match cause.kind() {
        io::ErrorKind::NotFound => format!("the folder {folder} does not exist: make it"),
        io::ErrorKind::PermissionDenied => {
            format!("{cause}; let the user that this process runs as write to the folder {folder}")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            format!("{cause}; the keys need a place that can be written and outlives restarts")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{cause}; free some room in {folder}")
        }
        _ => cause.to_string(),
    }
}
