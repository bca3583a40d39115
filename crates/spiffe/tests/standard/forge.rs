//! Makes documents that the library would not: certificates and tokens with any content, well signed.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spiffe::bundle::{Bundle, JwtAuthority, X509Authority};
use spiffe::key::{KeyType, PrivateKey, PublicKey, SigAlg, Signer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, X509Issuer, assemble};
use spiffe::{SpiffeId, TrustDomain};

pub const HOUR: Duration = Duration::from_secs(3600);

pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub fn td() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

pub fn id(path: &str) -> SpiffeId {
    SpiffeId::new(&td(), path).unwrap()
}

pub fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcP256).unwrap()
}

/// One RSA key for all tests: they take long to make.
pub fn rsa() -> &'static PrivateKey {
    static RSA: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::Rsa2048).unwrap());
    &RSA
}

/// A root with the bundle that trusts it.
pub fn root() -> (X509Issuer, Bundle) {
    let key = Arc::new(key());
    let ca = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + 24 * HOUR)
        .self_sign(&*key)
        .unwrap();
    let bundle = trusting(&ca);
    (X509Issuer::new(ca, vec![], key).unwrap(), bundle)
}

pub fn trusting(ca: &Certificate) -> Bundle {
    let mut bundle = Bundle::new(td());
    bundle.push_x509(X509Authority { certificate: ca.clone(), tainted: false }).unwrap();
    bundle
}

pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        0x100..=0xffff => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        _ => panic!("{length} bytes are too many"),
    };
    [head, content].concat()
}

pub fn extension(last: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&[6, 3, 0x55, 0x1d, last], critical, &tlv(4, &[value])])
}

pub fn key_usage(unused: u8, bits: u8) -> Vec<u8> {
    extension(0x0f, true, &[3, 2, unused, bits])
}

/// digitalSignature alone.
pub fn signs() -> Vec<u8> {
    key_usage(7, 0x80)
}

/// keyCertSign and cRLSign.
pub fn signs_certificates() -> Vec<u8> {
    key_usage(1, 0x06)
}

pub fn constraints(ca: bool, path: Option<u8>) -> Vec<u8> {
    let path = path.map_or_else(Vec::new, |n| vec![2, 1, n]);
    extension(0x13, true, &tlv(0x30, &[if ca { &[1, 1, 0xff] } else { &[] }, &path]))
}

pub fn uris(all: &[&str]) -> Vec<u8> {
    names(&all.iter().map(|uri| (0x86, uri.as_bytes())).collect::<Vec<_>>())
}

pub fn names(all: &[(u8, &[u8])]) -> Vec<u8> {
    let all: Vec<Vec<u8>> = all.iter().map(|(tag, name)| tlv(*tag, &[name])).collect();
    extension(0x11, false, &tlv(0x30, &all.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// serverAuth is 1, clientAuth 2, codeSigning 3.
pub fn extended_usage(purposes: &[u8]) -> Vec<u8> {
    let all: Vec<Vec<u8>> = purposes.iter().map(|p| vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 3, *p]).collect();
    extension(0x25, false, &tlv(0x30, &all.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// A certificate to be forged: by default a proper leaf of `spiffe://example.org/a`.
pub struct Forged {
    pub extensions: Vec<Vec<u8>>,
    pub from: SystemTime,
    pub until: SystemTime,
    pub subject: Vec<u8>,
}

impl Forged {
    pub fn with(extensions: Vec<Vec<u8>>) -> Self {
        // CN=forged
        let subject =
            tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&[6, 3, 0x55, 4, 3], &tlv(0x13, &[b"forged"])])])]);
        Self { extensions, from: now() - HOUR, until: now() + HOUR, subject }
    }

    pub fn sign(&self, key: &PublicKey, issuer_name: &[u8], signer: &dyn Signer) -> Vec<u8> {
        let alg = SigAlg::for_x509(signer.public());
        self.sign_as(key, issuer_name, &algorithm(alg), |tbs| signer.sign(alg, tbs).unwrap())
    }

    /// With any algorithm's name, and any signature.
    pub fn sign_as(
        &self,
        key: &PublicKey,
        issuer_name: &[u8],
        algorithm: &[u8],
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        let tbs = tlv(
            0x30,
            &[
                &[0xa0, 3, 2, 1, 2],
                &[2, 1, 7],
                algorithm,
                issuer_name,
                &tlv(0x30, &[&time(self.from), &time(self.until)]),
                &self.subject,
                key.spki_der(),
                &tlv(0xa3, &[&tlv(0x30, &extensions)]),
            ],
        );
        let signature = sign(&tbs);
        tlv(0x30, &[&tbs, algorithm, &tlv(3, &[&[0], &signature])])
    }

    /// By an authority of the library's, on a new key.
    pub fn by(&self, issuer: &X509Issuer) -> Vec<u8> {
        self.sign(key().public(), issuer.certificate().subject_der(), &**issuer.signer())
    }
}

/// A moment as certificates write it.
pub fn time(at: SystemTime) -> Vec<u8> {
    let moment = x509_cert::time::Time::try_from(at).unwrap();
    der::Encode::to_der(&moment).unwrap()
}

/// The algorithm as the library writes it: cut out of what it assembles from nothing.
pub fn algorithm(alg: SigAlg) -> Vec<u8> {
    let whole = assemble(&[], alg, &[]);
    let end = 2 + 2 + usize::from(whole[3]);
    whole[2..end].to_vec()
}

/// A token with any header and claims, signed RS256 over them, and the bundle that trusts its key as `k`.
pub fn token(header: &str, claims: &str) -> (String, Bundle) {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = rsa().sign(SigAlg::RsaPkcs1Sha256, signed.as_bytes()).unwrap();
    (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)), jwt_bundle("k", rsa().public()))
}

pub fn jwt_bundle(key_id: &str, key: &PublicKey) -> Bundle {
    let mut bundle = Bundle::new(td());
    let authority =
        JwtAuthority { key_id: key_id.into(), public_key: key.clone(), expires_at: None, tainted: false };
    bundle.push_jwt(authority).unwrap();
    bundle
}
