//! X.509-SVIDs: certificates, requests, issuing and verifying (X509-SVID.md).

mod certificate;
mod csr;
mod moment;
mod name;
mod oid;
mod raw;
mod svid;
mod template;
mod tlv;

pub use certificate::{Certificate, CertificateError, MAX_CERTIFICATE};
pub use csr::{Csr, CsrError, MAX_CSR};
pub use name::{CaSubject, DistinguishedName};
pub(crate) use svid::split_concatenated;
pub use svid::{MAX_CHAIN, SvidError, VerifiedSvid, VerifyError, X509Svid};
pub use template::{CaTemplate, IssueError, LeafTemplate, X509Issuer, assemble};

#[cfg(test)]
mod tests;
