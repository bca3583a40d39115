//! The keys that are made: those of the TCG's profiles, so that any program finds them again from the TPM's seeds.

use super::ids::{alg, attribute, curve};
use super::public::{Kind, Scheme, Template};

/// PolicySecret of the endorsement hierarchy: the policy of the default endorsement key (EK Credential Profile, B.3.3).
const EK_POLICY: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd,
    0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];

const STORAGE: u32 = attribute::FIXED_TPM
    | attribute::FIXED_PARENT
    | attribute::SENSITIVE_DATA_ORIGIN
    | attribute::RESTRICTED
    | attribute::DECRYPT;

const SIGNING: u32 = attribute::FIXED_TPM
    | attribute::FIXED_PARENT
    | attribute::SENSITIVE_DATA_ORIGIN
    | attribute::USER_WITH_AUTH
    | attribute::SIGN;

/// The RSA 2048 endorsement key (L-1).
pub(crate) fn endorsement_key() -> Template {
    Template {
        attributes: STORAGE | attribute::ADMIN_WITH_POLICY,
        policy: &EK_POLICY,
        parent: true,
        scheme: None,
        kind: Kind::Rsa { bits: 2048, zeros: 256 },
    }
}

/// The storage root key that others are below: RSA 2048 (H-1), or ECC P-256 (H-2), with an empty unique field.
pub(crate) fn storage_root(kind: u16) -> Template {
    let kind = match kind {
        alg::RSA => Kind::Rsa { bits: 2048, zeros: 0 },
        _ => Kind::Ecc { curve: curve::P256 },
    };
    let attributes = STORAGE | attribute::USER_WITH_AUTH | attribute::NO_DA;
    Template { attributes, policy: &[], parent: true, scheme: None, kind }
}

/// An attestation key: RSA 2048 that signs what the TPM says with PKCS#1 v1.5 and SHA-256.
pub(crate) fn attestation_key() -> Template {
    Template {
        attributes: SIGNING | attribute::RESTRICTED,
        policy: &[],
        parent: false,
        scheme: Some(Scheme { algorithm: alg::RSASSA, hash: alg::SHA256 }),
        kind: Kind::Rsa { bits: 2048, zeros: 0 },
    }
}

/// A key that signs whatever digest it is given, by any scheme.
pub(crate) fn signing_key(kind: Kind) -> Template {
    Template { attributes: SIGNING, policy: &[], parent: false, scheme: None, kind }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn the_policy_of_the_endorsement_key_is_that_of_its_hierarchy() {
        let mut extended = vec![0; 32];
        extended.extend_from_slice(&0x0151_u32.to_be_bytes());
        extended.extend_from_slice(&super::super::ids::handle::ENDORSEMENT.to_be_bytes());
        let once = digest(&SHA256, &extended);
        assert_eq!(digest(&SHA256, once.as_ref()).as_ref(), EK_POLICY);
    }
}
