//! What the forge signs holds, and comes out the same each time.

#![allow(clippy::unwrap_used)]

use conformance::forge::certificate::Certificate;
use conformance::forge::key::{Hash, Key, Scheme};
use conformance::forge::keys::key;
use spiffe::key::{PublicKey, SigAlg};
use spiffe::x509;

const MESSAGE: &[u8] = b"a message";

fn holds(key: &Key, scheme: Scheme, alg: SigAlg) {
    let public = PublicKey::from_spki_der(&key.spki()).unwrap();
    let signature = key.sign(scheme, MESSAGE);
    public.verify(alg, MESSAGE, &signature).unwrap();
    public.verify_jws(alg, MESSAGE, &key.sign_fixed(scheme, MESSAGE)).unwrap();
    public.verify(alg, b"another", &signature).unwrap_err();
    assert_eq!(key.sign(scheme, MESSAGE), signature);
}

#[test]
fn each_scheme_signs_what_holds() {
    holds(key("ec256-root"), Scheme::Ecdsa(Hash::Sha256), SigAlg::EcdsaP256Sha256);
    holds(key("ec384-root"), Scheme::Ecdsa(Hash::Sha384), SigAlg::EcdsaP384Sha384);
    holds(key("ec521-root"), Scheme::Ecdsa(Hash::Sha512), SigAlg::EcdsaP521Sha512);
    let rsa = key("rsa2048-root");
    holds(rsa, Scheme::Pkcs1(Hash::Sha256), SigAlg::RsaPkcs1Sha256);
    holds(rsa, Scheme::Pkcs1(Hash::Sha384), SigAlg::RsaPkcs1Sha384);
    holds(rsa, Scheme::Pkcs1(Hash::Sha512), SigAlg::RsaPkcs1Sha512);
    holds(rsa, Scheme::Pss(Hash::Sha256), SigAlg::RsaPssSha256);
    holds(rsa, Scheme::Pss(Hash::Sha384), SigAlg::RsaPssSha384);
    holds(rsa, Scheme::Pss(Hash::Sha512), SigAlg::RsaPssSha512);
}

#[test]
fn certificates_are_read_as_they_were_made() {
    let root = Certificate::authority("root", "example.org", key("ec256-root"));
    let leaf = Certificate::leaf("spiffe://example.org/a", key("rsa2048-other"));
    let der = leaf.signed_by(&root);
    assert_eq!(der, leaf.signed_by(&root));
    let read = x509::Certificate::parse(der).unwrap();
    assert_eq!(read.uri_sans(), ["spiffe://example.org/a"]);
    assert_eq!(read.spki(), leaf.key.spki());
}

#[test]
fn private_keys_are_written_as_pkcs8() {
    for name in ["ec256-root", "ec384-root", "rsa2048-root"] {
        let read = spiffe::key::PrivateKey::from_pkcs8(&key(name).pkcs8()).unwrap();
        assert_eq!(spiffe::key::Signer::public(&read).spki_der(), key(name).spki());
    }
}
