//! `UpstreamAuthority "disk"`: a signing certificate and its key in files, read again each time something is signed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair,
};
use model::ports::{MintedCa, UpstreamAuthority, UpstreamError};
use rustls_pki_types::PrivateKeyDer;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, JwtAuthority, X509Authority};
use spiffe::key::{PrivateKey, Signer as _};
use spiffe::x509::{CaTemplate, Certificate, Csr};

use crate::files;

/// What is signed begins this long before, for relying parties whose clock is behind (SPIRE 1.16).
const BACKDATE: Duration = Duration::from_secs(10);

/// Where the authority's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The signing certificate, then the intermediates above it, as PEM.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1, as PEM.
    pub key: PathBuf,
    /// The roots, as PEM. Without them the certificate must be a root itself.
    pub bundle: Option<PathBuf>,
}

/// Why the files cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DiskError {
    /// A file cannot be read, or does not hold what it should.
    #[error("unable to load upstream CA {what} from {}: {why}", path.display())]
    File {
        /// `key`, `cert` or `bundle`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Without roots, a certificate that is not its own.
    #[error(
        "with no bundle_file_path configured only self-signed CAs are supported: {} holds {held}",
        path.display()
    )]
    NotSelfSigned {
        /// The certificate's file.
        path: PathBuf,
        /// What it holds instead.
        held: &'static str,
    },
    /// The key is not the certificate's.
    #[error("unable to load upstream CA: certificate and private key do not match")]
    OtherKey,
    /// The roots do not lead to the certificate.
    #[error(
        "unable to load upstream CA: certificate cannot be validated with the provided bundle or is not self-signed"
    )]
    Unrooted,
}

/// What the files hold.
struct Material {
    certificate: Certificate,
    key: PrivateKey,
    /// What goes below a root: the certificate and the intermediates above; empty if it is the root itself.
    chain: Vec<Certificate>,
    roots: Vec<Certificate>,
}

/// Signs with what is on the disk at that moment; with what was there before, while that cannot be used.
pub struct Disk {
    trust_domain: TrustDomain,
    files: Files,
    last: Mutex<Arc<Material>>,
}

impl Disk {
    /// Reads the files, so that mistakes show at the start.
    pub fn open(trust_domain: TrustDomain, files: Files) -> Result<Self, DiskError> {
        let last = Mutex::new(Arc::new(Material::load(&files)?));
        Ok(Self { trust_domain, files, last })
    }

    fn current(&self) -> Arc<Material> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match Material::load(&self.files) {
            Ok(material) => *last = Arc::new(material),
            Err(error) => tracing::warn!(
                error = %error,
                "The files of the upstream authority cannot be used; going on with what they held before"
            ),
        }
        last.clone()
    }

    fn sign(&self, csr: &[u8], ttl: Duration, now: SystemTime) -> Result<MintedCa, UpstreamError> {
        let material = self.current();
        let refused =
            |why: &dyn std::fmt::Display| UpstreamError::Refused(format!("unable to sign CSR: {why}"));
        let csr = Csr::parse(csr).map_err(|e| refused(&e))?;
        if csr.uri_sans() != [self.trust_domain.id().as_str()] {
            return Err(refused(&format!("it must name {} and nothing else", self.trust_domain.id())));
        }
        let begins = now.checked_sub(BACKDATE).unwrap_or(now);
        let template = CaTemplate::named(self.trust_domain.clone(), csr.subject().clone(), begins, now + ttl);
        let ca = template
            .issue_under(csr.public_key(), &material.certificate, &material.key)
            .map_err(|e| refused(&e))?;
        let mut roots = Bundle::new(self.trust_domain.clone());
        for root in &material.roots {
            roots
                .push_x509(X509Authority { certificate: root.clone(), tainted: false })
                .map_err(|e| UpstreamError::Answer(e.to_string()))?;
        }
        Ok(MintedCa { chain: std::iter::once(ca).chain(material.chain.iter().cloned()).collect(), roots })
    }
}

impl Material {
    fn load(files: &Files) -> Result<Self, DiskError> {
        let key = private_key(&files.key)?;
        let mut chain = certificates("cert", &files.certificate)?;
        let Some(certificate) = chain.first().cloned() else { return Err(DiskError::Unrooted) };
        if key.public().spki_der() != certificate.spki() {
            return Err(DiskError::OtherKey);
        }
        let own_root = certificate.subject_der() == certificate.issuer_der();
        let roots = match &files.bundle {
            Some(path) => certificates("bundle", path)?,
            None => {
                let held = match (chain.len(), own_root) {
                    (1, true) => None,
                    (1, false) => Some("one that another has signed"),
                    _ => Some("several certificates"),
                };
                if let Some(held) = held {
                    return Err(DiskError::NotSelfSigned { path: files.certificate.clone(), held });
                }
                std::mem::take(&mut chain)
            }
        };
        if !leads_to(&certificate, &chain, &roots) {
            return Err(DiskError::Unrooted);
        }
        // A root that stands among the intermediates is of no use to those who have it already.
        chain.retain(|one| !roots.contains(one));
        Ok(Self { certificate, key, chain, roots })
    }
}

/// Whether the names and key identifiers lead from the certificate to a root. Signatures are checked over the whole
/// chain, by the server, whenever something is signed.
fn leads_to(certificate: &Certificate, chain: &[Certificate], roots: &[Certificate]) -> bool {
    let mut top = certificate;
    // Each certificate is passed once, so a loop ends.
    for _ in 0..=chain.len() {
        if roots.iter().any(|root| root == top || issued(root, top)) {
            return true;
        }
        match chain.iter().find(|above| *above != top && issued(above, top)) {
            Some(above) => top = above,
            None => return false,
        }
    }
    false
}

fn issued(above: &Certificate, below: &Certificate) -> bool {
    let keys = match (above.subject_key_id(), below.authority_key_id()) {
        (Some(above), Some(below)) => above == below,
        _ => true,
    };
    keys && above.is_ca() && above.subject_der() == below.issuer_der()
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<Certificate>, DiskError> {
    let failed = |why: String| DiskError::File { what, path: path.to_owned(), why };
    let found = files::certificates(path).map_err(|e| failed(e.to_string()))?;
    let parse = |der: rustls_pki_types::CertificateDer<'_>| Certificate::parse(der.to_vec());
    found.into_iter().map(parse).collect::<Result<_, _>>().map_err(|e| failed(e.to_string()))
}

fn private_key(path: &Path) -> Result<PrivateKey, DiskError> {
    let failed = |why: String| DiskError::File { what: "key", path: path.to_owned(), why };
    let der = files::private_key(path).map_err(|e| failed(e.to_string()))?;
    let unusable =
        || failed("it is of no type that can sign certificates (RSA, P-256, P-384, P-521)".to_owned());
    match &der {
        PrivateKeyDer::Pkcs8(key) => PrivateKey::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| unusable()),
        PrivateKeyDer::Pkcs1(key) => {
            let pair = RsaKeyPair::from_der(key.secret_pkcs1_der()).map_err(|_| unusable())?;
            let pkcs8 = pair.as_der().map_err(|_| unusable())?;
            PrivateKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| unusable())
        }
        PrivateKeyDer::Sec1(key) => {
            let curves = [
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &ECDSA_P384_SHA384_ASN1_SIGNING,
                &ECDSA_P521_SHA512_ASN1_SIGNING,
            ];
            let pair = curves
                .into_iter()
                .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, key.secret_sec1_der()).ok());
            let pkcs8 = pair.and_then(|pair| pair.to_pkcs8v1().ok()).ok_or_else(unusable)?;
            PrivateKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| unusable())
        }
        _ => Err(unusable()),
    }
}

#[async_trait]
impl UpstreamAuthority for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    async fn mint(&self, csr: Vec<u8>, ttl: Duration, now: SystemTime) -> Result<MintedCa, UpstreamError> {
        // Two small files and a signature, a few times in the life of a CA.
        self.sign(&csr, ttl, now)
    }

    async fn publish_jwt(&self, _: &JwtAuthority) -> Result<bool, UpstreamError> {
        Ok(false)
    }

    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError> {
        Ok(None)
    }
}
