use std::time::Duration;

use spiffe::key::KeyType;
use spiffe::x509::CaSubject;

/// How authorities are made and how long what they sign lives.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// Life of an X.509 CA, of a JWT key and of a WIT key (`ca_ttl`).
    pub ca_ttl: Duration,
    /// The X.509 CA's kind of key, and the server's own (`ca_key_type`).
    pub ca_key_type: KeyType,
    /// The JWT key's kind (`jwt_key_type`).
    pub jwt_key_type: KeyType,
    /// What the X.509 CA calls itself (`ca_subject`).
    pub ca_subject: CaSubject,
    /// Life of X.509-SVIDs whose entry does not say (`default_x509_svid_ttl`).
    pub x509_svid_ttl: Duration,
    /// Life of JWT-SVIDs whose entry does not say (`default_jwt_svid_ttl`).
    pub jwt_svid_ttl: Duration,
    /// Life of agents' X.509-SVIDs (`agent_ttl`).
    pub agent_svid_ttl: Duration,
    /// The `iss` claim of JWT-SVIDs (`jwt_issuer`); none if it is not set.
    pub jwt_issuer: Option<String>,
    /// How workloads' X.509-SVIDs call their subject.
    pub workload_subjects: WorkloadSubjects,
    /// Whether there are JWT-SVIDs at all; false is `disable_jwt_svids`.
    pub jwt_svids: JwtSvids,
    /// How WIT-SVIDs are signed; there are none if it is not set (feature flag `wit-svid`).
    pub wit_svids: Option<WitSvids>,
}

/// How WIT-SVIDs are signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitSvids {
    /// The WIT key's kind (`wit_key_type`).
    pub key_type: KeyType,
    /// The `iss` claim of WIT-SVIDs (`wit_issuer`); none if it is not set.
    pub issuer: Option<String>,
}

/// Whether this server has JWT keys and signs JWT-SVIDs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JwtSvids {
    /// It does.
    Enabled,
    /// It does not, and says so.
    Disabled,
}

/// What the subject of a workload's X.509-SVID says, beside its first DNS name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkloadSubjects {
    /// The same for all: `C=US, O=SPIRE`, or what an administrator asks for.
    Alike,
    /// That, and an identifier made of the SPIFFE ID (`CredentialComposer "uniqueid"`).
    Unique,
}

impl Default for AuthoritySettings {
    /// SPIRE 1.16's defaults.
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            ca_ttl: 24 * HOUR,
            ca_key_type: KeyType::EcP256,
            jwt_key_type: KeyType::EcP256,
            ca_subject: CaSubject {
                country: vec!["US".to_owned()],
                organization: vec!["SPIFFE".to_owned()],
                common_name: String::new(),
            },
            x509_svid_ttl: HOUR,
            jwt_svid_ttl: Duration::from_secs(5 * 60),
            agent_svid_ttl: HOUR,
            jwt_issuer: None,
            workload_subjects: WorkloadSubjects::Alike,
            jwt_svids: JwtSvids::Enabled,
            wit_svids: None,
        }
    }
}
