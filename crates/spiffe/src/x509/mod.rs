//! X.509-SVIDs: certificates, requests, issuing and verifying (X509-SVID.md).

mod certificate;
pub mod crl;
mod csr;
mod extensions;
mod general_name;
mod layout;
mod leaf_form;
mod moment;
mod name;
mod oid;
pub mod path;
mod signature;
mod signed;
mod span;
mod subtrees;
mod svid;
mod template;
mod tlv;
mod uri_constraints;
mod usage;
mod verify;

pub use certificate::{Certificate, CertificateError, MAX_CERTIFICATE};
pub use crl::{Crl, CrlError, CrlTemplate, MAX_CRL, Reason, Revocation, Revoked, SignedCrl, WithoutCrl};
pub use csr::{Csr, CsrError, MAX_CSR};
pub use name::{CaSubject, DistinguishedName};
pub(crate) use svid::split_concatenated;
pub use svid::{MAX_CHAIN, SvidError, X509Svid};
pub use template::{CaTemplate, IssueError, LeafTemplate, X509Issuer, assemble};
pub use uri_constraints::UriConstraints;
pub use verify::{Side, VerifiedSvid, VerifyError, VerifyOptions};

#[cfg(test)]
mod tests;
