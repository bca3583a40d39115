//! Makes any document, well signed: also those that no library would make.
//!
//! Everything here comes out the same each time: the keys are fixed, ECDSA signs by RFC 6979, and RSA-PSS with a salt that
//! is taken from the message.

pub mod bundle;
pub mod certificate;
pub mod crl;
pub mod csr;
pub mod der;
pub mod ecdsa;
pub mod extension;
pub mod jws;
pub mod key;
pub mod keys;
pub mod moment;
pub mod rsa;
