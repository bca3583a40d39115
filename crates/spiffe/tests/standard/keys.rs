//! Keys: which are taken, and in what form they are written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use spiffe::key::{KeyError, KeyType, PrivateKey, PublicKey, SigAlg, SignError, Signer};

use super::forge::*;

fn spki(base64: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_spki_der(&STANDARD.decode(base64).unwrap())
}

#[test]
fn keys_that_cannot_or_should_not_be_used_are_refused() {
    let rsa_1024 = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCq3Je5QfVnWDT1iF40AJsH3Lq8BvuCFSN0LTPM7X+hEmA4ZfiFTCCUrvJxsRpUMkKFugDo5KwEHMvVgEfz6+kFotgmY3e1/p1G4jhmz3tRRk8Ej/UBK7PtQdo76r00V5Xww6u5KQ3RGHx3NAElUHKnMGEepgGvfCBvY2LlRLin8wIDAQAB";
    assert_eq!(spki(rsa_1024).err(), Some(KeyError::RsaSize(1024)));
    let ed25519 = "MCowBQYDK2VwAyEA6idrDTetVagnShsJRLSr+kxz1qnO3dEEdYqRWwWZJbY=";
    assert!(matches!(spki(ed25519), Err(KeyError::Algorithm(_))));
    let secp256k1 = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEmcJNFKSF7P2u/+liUe2ycSY4hi5eONG2fIrKWHkd/7JedX4Zukh/aq5Rgw9Jk8iD1B+FaDx/x22BfJ8+e/lA2A==";
    assert!(matches!(spki(secp256k1), Err(KeyError::Algorithm(_))));
    let compressed = "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAC9wE344syOgJBDHj0I3jjgE7C3fYHWRog0HH/nGt+FtU=";
    assert!(matches!(spki(compressed), Err(KeyError::MalformedPublic(_))));

    let good = key().public().spki_der().to_vec();
    let mut off_curve = good.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    assert!(matches!(PublicKey::from_spki_der(&off_curve), Err(KeyError::MalformedPublic(_))));
    assert!(PublicKey::from_spki_der(&[&good[..], &[0]].concat()).is_err());
    assert!(matches!(PublicKey::from_spki_der(&vec![0x30; 20_000]), Err(KeyError::TooLarge(20_000))));
    // RSA without the NULL of RFC 3279
    let with = rsa().public().spki_der();
    let oid = tlv(0x30, &[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]]);
    let without = tlv(0x30, &[&oid, &tlv(3, &[&[0], rsa().public().raw()])]);
    assert!(PublicKey::from_spki_der(with).is_ok() && PublicKey::from_spki_der(&without).is_err());
}

#[test]
fn a_key_is_written_and_read_and_still_the_same() {
    for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::EcP521, KeyType::Rsa2048] {
        let key = PrivateKey::generate(key_type).unwrap();
        let again = PrivateKey::from_pkcs8(&key.to_pkcs8()).unwrap();
        assert_eq!((again.public(), again.key_type()), (key.public(), key_type));
        assert_eq!(again.to_pkcs8(), key.to_pkcs8());
        let alg = SigAlg::for_x509(key.public());
        key.public().verify(alg, b"message", &again.sign(alg, b"message").unwrap()).unwrap();
        let configured = (key_type != KeyType::EcP521).then_some(key_type);
        assert_eq!(KeyType::parse(key_type.as_str()), configured);
        assert!(PrivateKey::from_pkcs8(&[&key.to_pkcs8()[..], &[0]].concat()).is_err());
        assert!(PrivateKey::from_pkcs8(&key.to_pkcs8()[1..]).is_err());
    }
    assert!(PrivateKey::from_pkcs8(&vec![0x30; 20_000]).is_err());
}

#[test]
fn a_key_signs_and_verifies_with_its_own_algorithms_only() {
    let ec = key();
    assert_eq!(
        ec.sign(SigAlg::EcdsaP384Sha384, b"").err(),
        Some(SignError::Algorithm(SigAlg::EcdsaP384Sha384))
    );
    assert!(ec.public().verify(SigAlg::RsaPkcs1Sha256, b"", b"").is_err());
    for alg in [
        SigAlg::RsaPkcs1Sha256,
        SigAlg::RsaPkcs1Sha384,
        SigAlg::RsaPkcs1Sha512,
        SigAlg::RsaPssSha256,
        SigAlg::RsaPssSha384,
        SigAlg::RsaPssSha512,
    ] {
        let signature = rsa().sign(alg, b"message").unwrap();
        rsa().public().verify(alg, b"message", &signature).unwrap();
        assert_eq!(rsa().public().verify(alg, b"massage", &signature), Err(SignError::Bad));
    }
    let p521 = PrivateKey::generate(KeyType::EcP521).unwrap();
    let signature = p521.sign(SigAlg::EcdsaP521Sha512, b"message").unwrap();
    p521.public().verify(SigAlg::EcdsaP521Sha512, b"message", &signature).unwrap();
}

#[test]
fn nothing_secret_is_printed() {
    let key = key();
    let secret: String = key.to_pkcs8().iter().map(|b| format!("{b:02x}")).collect();
    let printed = format!("{key:?}");
    assert_eq!(printed, "PrivateKey(ec-p256)");
    assert!(!printed.contains(&secret[60..80]));
}
