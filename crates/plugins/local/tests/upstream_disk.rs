//! An authority in files that signs those of servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::ports::{MintedCa, UpstreamAuthority, UpstreamError};
use plugins_local::upstream::disk::{Disk, DiskError, Files};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::x509::{CaSubject, Csr, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{BundleSet, SpiffeId, TrustDomain};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);

fn td() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = (SystemTime::now() - HOUR).into();
    params.not_after = (SystemTime::now() + life).into();
    params
}

fn root(how: &'static rcgen::SignatureAlgorithm) -> Issuer {
    CertifiedIssuer::self_signed(params("root", 100 * HOUR), KeyPair::generate_for(how).unwrap()).unwrap()
}

fn p256() -> Issuer {
    root(&rcgen::PKCS_ECDSA_P256_SHA256)
}

/// A folder with files of an authority.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn files(&self, certificate: &str, key: &str, bundle: Option<&str>) -> Files {
        Files {
            certificate: self.put("cert.pem", certificate),
            key: self.put("key.pem", key),
            bundle: bundle.map(|text| self.put("bundle.pem", text)),
        }
    }
}

fn open(files: Files) -> Result<Disk, DiskError> {
    Disk::open(td(), files)
}

/// Has it sign the authority of a server, whose key comes back as well.
async fn minted(disk: &Disk, ttl: Duration) -> (MintedCa, Arc<PrivateKey>) {
    let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let csr = Csr::build_for_authority(&*key, &td(), &CaSubject::default()).unwrap();
    (disk.mint(csr, ttl, SystemTime::now()).await.unwrap(), key)
}

/// What the minted authority signs is believed by who has its roots.
async fn signs_what_is_believed(disk: &Disk) {
    let (minted, key) = minted(disk, HOUR).await;
    let (mut chain, now) = (minted.chain.into_iter(), SystemTime::now());
    let issuer = X509Issuer::new(chain.next().unwrap(), chain.collect(), key.clone()).unwrap();
    let id = SpiffeId::parse("spiffe://example.org/web").unwrap();
    let leaf = LeafTemplate::new(id, key.public().clone(), now, now + HOUR).issue(&issuer).unwrap();
    let set: BundleSet = std::iter::once(Arc::new(minted.roots)).collect();
    X509Svid::of(issuer.chain_for(leaf)).unwrap().verify(&set, now).unwrap();
}

fn openssl(arguments: &[&str], text: &str) -> String {
    let mut child =
        Command::new("openssl").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn every_form_of_a_key_that_openssl_writes_signs() {
    let ec = "BEGIN EC PRIVATE KEY";
    let rows: [(&'static rcgen::SignatureAlgorithm, &[&str], &str); 7] = [
        (&rcgen::PKCS_ECDSA_P256_SHA256, &["pkey"], "BEGIN PRIVATE KEY"),
        (&rcgen::PKCS_RSA_SHA256, &["pkey"], "BEGIN PRIVATE KEY"),
        (&rcgen::PKCS_RSA_SHA256, &["rsa", "-traditional"], "BEGIN RSA PRIVATE KEY"),
        (&rcgen::PKCS_ECDSA_P256_SHA256, &["ec"], ec),
        (&rcgen::PKCS_ECDSA_P384_SHA384, &["ec"], ec),
        (&rcgen::PKCS_ECDSA_P521_SHA512, &["ec"], ec),
        // As `openssl ecparam -genkey` writes it: the name of the curve comes first, in a block of its own.
        (&rcgen::PKCS_ECDSA_P256_SHA256, &["ec"], "BEGIN EC PARAMETERS"),
    ];
    for (how, arguments, form) in rows {
        let root = root(how);
        let mut key = openssl(arguments, &root.key().serialize_pem());
        if form == "BEGIN EC PARAMETERS" {
            key = format!(
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}"
            );
        }
        assert!(key.contains(form), "{key}");
        let folder = Folder::new();
        signs_what_is_believed(&open(folder.files(&root.pem(), &key, None)).unwrap()).await;
    }
}

#[tokio::test]
async fn what_is_signed_begins_ten_seconds_ago_and_ends_with_its_authority() {
    let (folder, root) = (Folder::new(), p256());
    let disk = open(folder.files(&root.pem(), &root.key().serialize_pem(), None)).unwrap();
    let (short, _) = minted(&disk, HOUR).await;
    let life = short.chain[0].not_after().duration_since(short.chain[0].not_before()).unwrap();
    assert_eq!(life, HOUR + Duration::from_secs(10));
    let (long, _) = minted(&disk, 10_000 * HOUR).await;
    assert_eq!(long.chain[0].not_after(), long.roots.x509_authorities()[0].certificate.not_after());
    assert_eq!((long.chain.len(), long.roots.x509_authorities().len()), (1, 1), "the root goes with nothing");
    assert_eq!(long.chain[0].uri_sans(), ["spiffe://example.org"]);
}

#[tokio::test]
async fn an_intermediate_goes_along_and_the_roots_are_those_of_the_bundle() {
    let (folder, root, other) = (Folder::new(), p256(), p256());
    let key = KeyPair::generate().unwrap();
    let middle = CertifiedIssuer::signed_by(params("middle", 50 * HOUR), key, &root).unwrap();
    let roots = root.pem() + &other.pem();
    let files = folder.files(&middle.pem(), &middle.key().serialize_pem(), Some(&roots));
    let disk = open(files).unwrap();
    signs_what_is_believed(&disk).await;
    let (minted, _) = minted(&disk, HOUR).await;
    assert_eq!((minted.chain.len(), minted.roots.x509_authorities().len()), (2, 2));
    // The root may stand among the intermediates; it is of no use there.
    let chain = middle.pem() + &root.pem();
    let disk = open(folder.files(&chain, &middle.key().serialize_pem(), Some(&roots))).unwrap();
    assert_eq!(self::minted(&disk, HOUR).await.0.chain.len(), 2);
}

#[tokio::test]
async fn files_are_read_again_and_damaged_ones_leave_what_was_there() {
    let (folder, first, second) = (Folder::new(), p256(), p256());
    let disk = open(folder.files(&first.pem(), &first.key().serialize_pem(), None)).unwrap();
    let above = |minted: &MintedCa| minted.chain[0].authority_key_id().map(<[u8]>::to_vec);
    let old = above(&minted(&disk, HOUR).await.0);
    folder.put("cert.pem", &second.pem());
    assert_eq!(above(&minted(&disk, HOUR).await.0), old, "half of a pair is none");
    folder.put("key.pem", &second.key().serialize_pem());
    assert_ne!(above(&minted(&disk, HOUR).await.0), old);
    signs_what_is_believed(&disk).await;
}

#[tokio::test]
async fn files_that_cannot_sign_are_refused_with_the_reason() {
    let (folder, root, other) = (Folder::new(), p256(), p256());
    let (cert, key) = (root.pem(), root.key().serialize_pem());
    let middle = CertifiedIssuer::signed_by(params("middle", 50 * HOUR), KeyPair::generate().unwrap(), &root);
    let middle = middle.unwrap();
    let (low, low_key) = (middle.pem(), middle.key().serialize_pem());
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let (both, other) = (low.clone() + &cert, other.pem());
    type Row<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);
    let rows: [Row<'_>; 8] = [
        ("", &key, None, "unable to load upstream CA cert"),
        (&cert, "nonsense", None, "unable to load upstream CA key"),
        (&cert, &ed25519, None, "it is of no type that can sign certificates"),
        (&cert, &low_key, None, "certificate and private key do not match"),
        (&low, &low_key, None, "only self-signed CAs are supported"),
        (&both, &low_key, None, "several certificates"),
        (&low, &low_key, Some(""), "unable to load upstream CA bundle"),
        (&low, &low_key, Some(&other), "cannot be validated with the provided bundle"),
    ];
    for (certificate, key, bundle, expected) in rows {
        let said = open(folder.files(certificate, key, bundle)).err().unwrap().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_request_for_anything_but_the_trust_domain_is_refused() {
    let (folder, root) = (Folder::new(), p256());
    let disk = open(folder.files(&root.pem(), &root.key().serialize_pem(), None)).unwrap();
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let foreign = TrustDomain::parse("other.org").unwrap();
    let workload = SpiffeId::parse("spiffe://example.org/web").unwrap();
    let requests = [
        Csr::build_for_authority(&key, &foreign, &CaSubject::default()).unwrap(),
        Csr::build(&key, Some(&workload), &[]).unwrap(),
        Csr::build(&key, None, &[]).unwrap(),
        b"nonsense".to_vec(),
    ];
    for csr in requests {
        let refused = disk.mint(csr, HOUR, SystemTime::now()).await.unwrap_err();
        assert!(
            matches!(&refused, UpstreamError::Refused(why) if why.contains("unable to sign CSR")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn it_knows_of_no_tokens_and_has_no_bundle_to_follow() {
    let (folder, root) = (Folder::new(), p256());
    let disk = open(folder.files(&root.pem(), &root.key().serialize_pem(), None)).unwrap();
    let key = spiffe::bundle::JwtAuthority {
        key_id: "key".to_owned(),
        public_key: PrivateKey::generate(KeyType::EcP256).unwrap().public().clone(),
        expires_at: None,
        tainted: false,
    };
    assert!(!disk.publish_jwt(&key).await.unwrap());
    assert!(disk.bundle().await.unwrap().is_none());
}
