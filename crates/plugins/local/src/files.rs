//! PEM files, read with a bound.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// The largest file that is read.
const MAX_FILE: u64 = 4 * 1024 * 1024;

pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_FILE {
        return Err(io::Error::other(format!("it is {length} bytes long; at most {MAX_FILE} are read")));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(MAX_FILE).read_to_end(&mut text)?;
    Ok(text)
}

/// All certificates of a PEM file, of which there must be one. Other blocks are passed over.
pub(crate) fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = read(path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|cause| io::Error::other(cause.to_string()))?;
    match found.is_empty() {
        true => Err(io::Error::other("no certificates found in file")),
        false => Ok(found),
    }
}

/// The first private key of a PEM file: PKCS#8, PKCS#1 or SEC 1.
pub(crate) fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let text = read(path)?;
    // the message of a parser that has a private key in hand is not repeated
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| io::Error::other("no private key found in file"))
}
