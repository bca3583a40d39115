//! The usual scene: the trust domain `example.org` with a root, authorities below it, and a workload.

use crate::forge::certificate::{Certificate, common_name};
use crate::forge::jws;
use crate::forge::key::Key;
use crate::forge::keys::key;
use crate::forge::moment::{DAY, HOUR, NOW};
use crate::format::Input;
use crate::kinds::input::{Authorities, Bundles, Bytes, KeyEntry};
use crate::kinds::issue_x509_authority::Members as IssueAuthority;
use crate::kinds::issue_x509_leaf::{Authority, Members as IssueLeaf};
use crate::kinds::{jwt_svid, x509_svid};

/// The workload.
pub(super) const ID: &str = "spiffe://example.org/workload";

/// The root of `example.org`.
pub(super) fn root() -> Certificate {
    Certificate::authority("root", "example.org", key("ec256-root"))
}

/// The root of another trust domain.
pub(super) fn other_root(trust_domain: &str) -> Certificate {
    Certificate::authority("other root", trust_domain, key("ec256-other-root"))
}

/// An authority that the root signs.
pub(super) fn intermediate() -> Certificate {
    Certificate::authority("intermediate", "example.org", key("ec256-intermediate"))
}

/// An authority that the intermediate signs.
pub(super) fn second() -> Certificate {
    Certificate::authority("second intermediate", "example.org", key("ec256-second-intermediate"))
}

/// The workload's leaf.
pub(super) fn leaf() -> Certificate {
    leaf_of(ID)
}

/// A leaf for any ID.
pub(super) fn leaf_of(id: &str) -> Certificate {
    Certificate::leaf(id, key("ec256-leaf"))
}

/// What a verifier holds of a trust domain.
pub(super) fn roots(trust_domain: &str, certificates: impl IntoIterator<Item = Vec<u8>>) -> Bundles {
    let x509 = certificates.into_iter().map(Bytes).collect();
    Bundles::from([(trust_domain.to_owned(), Authorities { x509, ..Authorities::default() })])
}

/// Key entries of a trust domain.
pub(super) fn jwt_keys(trust_domain: &str, keys: &[(&str, &Key)]) -> Bundles {
    let jwt =
        keys.iter().map(|(kid, key)| KeyEntry { kid: (*kid).to_owned(), spki: Bytes(key.spki()) }).collect();
    Bundles::from([(trust_domain.to_owned(), Authorities { jwt, ..Authorities::default() })])
}

/// A chain as it is judged by someone who holds the root of `example.org`.
pub(super) fn chain(certificates: impl IntoIterator<Item = Vec<u8>>) -> x509_svid::Members {
    x509_svid::Members {
        chain: certificates.into_iter().map(Bytes).collect(),
        bundles: roots("example.org", [root().self_signed()]),
        side: None,
        now: NOW,
    }
}

/// A leaf that the root signed.
pub(super) fn directly(leaf: &Certificate) -> Input {
    chain([leaf.signed_by(&root())]).into()
}

/// The workload's leaf below an authority that the root signed.
pub(super) fn below(authority: &Certificate) -> Input {
    chain([leaf().signed_by(authority), authority.signed_by(&root())]).into()
}

/// A leaf below the usual intermediate.
pub(super) fn leaf_below(leaf: &Certificate) -> Input {
    chain([leaf.signed_by(&intermediate()), intermediate().signed_by(&root())]).into()
}

/// The workload's leaf below a root that the verifier holds.
pub(super) fn rooted(root: &Certificate) -> Input {
    let bundles = roots("example.org", [root.self_signed()]);
    x509_svid::Members { bundles, ..chain([leaf().signed_by(root)]) }.into()
}

/// A token of these parts, signed ES256 by the key `k`.
pub(super) fn signed(header: &str, claims: &str) -> String {
    jws::token(header, claims, key("ec256-root"))
}

/// Such a token as it is judged.
pub(super) fn token(header: &str, claims: &str) -> Input {
    presented(&signed(header, claims))
}

/// A token as it is judged by someone who answers to `audience` and holds the key `k` of `example.org`.
pub(super) fn presented(token: &str) -> Input {
    jwt_svid::Members {
        token: token.to_owned(),
        audience: vec!["audience".to_owned()],
        bundles: jwt_keys("example.org", &[("k", key("ec256-root"))]),
        now: NOW,
    }
    .into()
}

/// The usual header.
pub(super) const HEADER: &str = r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#;

/// The usual claims of a subject.
pub(super) fn claims(subject: &str) -> String {
    format!(r#"{{"aud":["audience"],"exp":{},"iat":{NOW},"sub":"{subject}"}}"#, NOW + 300)
}

/// The root as an issuer has it.
pub(super) fn issuer() -> Authority {
    held(&root())
}

/// A self-signed authority as an issuer has it.
pub(super) fn held(authority: &Certificate) -> Authority {
    Authority { certificate: Bytes(authority.self_signed()), key: Bytes(authority.key.pkcs8()) }
}

/// A request of the root for leaves with these names.
pub(super) fn issue(ids: &[&str]) -> IssueLeaf {
    IssueLeaf {
        authority: issuer(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        key: Bytes(key("ec256-leaf").spki()),
        dns: Vec::new(),
        subject_empty: false,
        not_before: NOW,
        not_after: NOW + HOUR,
    }
}

/// A request for a signing certificate, which signs itself unless told otherwise.
pub(super) fn issue_authority(id: &str) -> IssueAuthority {
    IssueAuthority {
        id: id.to_owned(),
        key: Bytes(key("ec256-intermediate").pkcs8()),
        below: None,
        path_length: None,
        permitted: Vec::new(),
        excluded: Vec::new(),
        not_before: NOW,
        not_after: NOW + DAY,
    }
}

/// The name of an authority that the chains here do not have.
pub(super) fn stranger() -> Vec<u8> {
    common_name("stranger")
}

/// Puts other bytes in place of the first of some, and as many.
pub(super) fn replace(whole: &mut [u8], old: &[u8], new: &[u8]) {
    let start = whole.windows(old.len()).position(|window| window == old).expect("what is replaced is there");
    whole[start..start + old.len()].copy_from_slice(new);
}
