//! Keys that a plugin keeps. They never come here: what is to be signed goes there, as a digest.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use model::ports::{self, KeyError};
use proto::spire::plugin::agent::keymanager::v1 as agent;
use proto::spire::plugin::agent::keymanager::v1::key_manager_client::KeyManagerClient as AgentClient;
use proto::spire::plugin::server::keymanager::v1 as wire;
use proto::spire::plugin::server::keymanager::v1::key_manager_client::KeyManagerClient as ServerClient;
use spiffe::key::{KeyType, PublicKey, SigAlg, SignError, Signer};
use tonic::Status;

use crate::call::{answer, nonsense};
use crate::plugin::Plugin;

/// Whose keys they are: server and agent call the same messages by different names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server's.
    Server,
    /// The agent's.
    Agent,
}

/// A key manager in another process.
#[derive(Clone)]
pub struct KeyManager {
    plugin: Plugin,
    side: Side,
}

/// Does a call of either side. The messages are the same but for their package.
macro_rules! on_either_side {
    ($self:ident, $method:ident, $request:ident { $($field:ident : $value:expr),* }) => {
        match $self.side {
            Side::Server => {
                let request = wire::$request { $($field: $value),* };
                answer(&$self.plugin, ServerClient::new($self.plugin.channel()).$method(request)).await.map(Into::into)
            }
            Side::Agent => {
                let request = agent::$request { $($field: $value),* };
                answer(&$self.plugin, AgentClient::new($self.plugin.channel()).$method(request)).await.map(Into::into)
            }
        }
    };
}

impl KeyManager {
    /// The keys of this plugin.
    #[must_use]
    pub fn new(plugin: Plugin, side: Side) -> Self {
        Self { plugin, side }
    }

    async fn keys(&self) -> Result<Vec<Found>, Status> {
        let Keys(keys) = on_either_side!(self, get_public_keys, GetPublicKeysRequest {})?;
        Ok(keys)
    }

    fn key(&self, id: &str, found: Option<Found>) -> Result<Arc<dyn Signer>, Status> {
        let found =
            found.ok_or_else(|| nonsense(&self.plugin, &format!("plugin response empty for key {id:?}")))?;
        if found.id != id {
            let why = format!("plugin response has unexpected key id {:?} for key {id:?}", found.id);
            return Err(nonsense(&self.plugin, &why));
        }
        let public = self.public(&found)?;
        Ok(Arc::new(Key { manager: self.clone(), id: found.id, fingerprint: found.fingerprint, public }))
    }

    fn public(&self, found: &Found) -> Result<PublicKey, Status> {
        PublicKey::from_spki_der(&found.spki).map_err(|error| {
            let why = format!("unable to parse public key PKIX data for key {:?}: {error}", found.id);
            nonsense(&self.plugin, &why)
        })
    }

    async fn sign(&self, id: String, digest: Vec<u8>, how: How) -> Result<Signature, Status> {
        on_either_side!(
            self,
            sign_data,
            SignDataRequest { key_id: id, data: digest, signer_opts: Some(how.into()) }
        )
    }

    fn unreadable(&self, status: &Status) -> KeyError {
        KeyError::Unreadable { place: self.place(), why: status.message().to_owned() }
    }

    fn place(&self) -> String {
        format!("plugin {:?}", self.plugin.name())
    }
}

#[async_trait]
impl ports::KeyManager for KeyManager {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let failed = |why: String| KeyError::Generate { key_type: key_type.as_str(), why };
        let kind = match key_type {
            KeyType::EcP256 => wire::KeyType::EcP256,
            KeyType::EcP384 => wire::KeyType::EcP384,
            KeyType::Rsa2048 => wire::KeyType::Rsa2048,
            KeyType::Rsa4096 => wire::KeyType::Rsa4096,
            KeyType::EcP521 => return Err(failed("SPIRE's plugins have no such key type".to_owned())),
        };
        let made: Result<OneKey, Status> = on_either_side!(
            self,
            generate_key,
            GenerateKeyRequest { key_id: id.to_owned(), key_type: kind.into() }
        );
        let key = made.and_then(|OneKey(found)| self.key(id, found));
        key.map_err(|status| failed(status.message().to_owned()))
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        let found: Result<OneKey, Status> =
            on_either_side!(self, get_public_key, GetPublicKeyRequest { key_id: id.to_owned() });
        match found {
            Ok(OneKey(None)) => Ok(None),
            Ok(OneKey(found)) => self.key(id, found).map(Some).map_err(|status| self.unreadable(&status)),
            // Plugins say it in either way.
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(self.unreadable(&status)),
        }
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        let keys = self.keys().await.map_err(|status| self.unreadable(&status))?;
        let one = |found: Found| {
            let public = self.public(&found).map_err(|status| self.unreadable(&status))?;
            Ok((found.id, public))
        };
        keys.into_iter().map(one).collect()
    }

    fn name(&self) -> &'static str {
        self.plugin.name()
    }

    /// Nobody can tell; at the next start it shows.
    fn persistent(&self) -> bool {
        true
    }
}

/// A key in another process.
struct Key {
    manager: KeyManager,
    id: String,
    fingerprint: String,
    public: PublicKey,
}

impl Signer for Key {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let how = How::of(alg, &self.public).ok_or(SignError::Algorithm(alg))?;
        let data = digest(how.algorithm(), message).as_ref().to_vec();
        let (manager, id) = (self.manager.clone(), self.id.clone());
        let signed = self.manager.plugin.wait(async move { manager.sign(id, data, how).await });
        let refused = |why: &str| SignError::Refused(why.to_owned());
        let Signature { signature, fingerprint } = signed.map_err(|status| refused(status.message()))?;
        if fingerprint != self.fingerprint {
            return Err(refused(
                "the plugin signed with another key of the same name; was it made anew elsewhere?",
            ));
        }
        match signature.is_empty() {
            true => Err(refused("plugin returned empty signature data")),
            false => Ok(signature),
        }
    }
}

/// Digest and padding.
#[derive(Clone, Copy)]
struct How {
    hash: wire::HashAlgorithm,
    pss: bool,
}

impl How {
    fn of(alg: SigAlg, key: &PublicKey) -> Option<Self> {
        use wire::HashAlgorithm::{Sha256, Sha384, Sha512};
        let (curve, hash, pss) = match alg {
            SigAlg::EcdsaP256Sha256 => (Some("P-256"), Sha256, false),
            SigAlg::EcdsaP384Sha384 => (Some("P-384"), Sha384, false),
            SigAlg::EcdsaP521Sha512 => (Some("P-521"), Sha512, false),
            SigAlg::RsaPkcs1Sha256 => (None, Sha256, false),
            SigAlg::RsaPkcs1Sha384 => (None, Sha384, false),
            SigAlg::RsaPkcs1Sha512 => (None, Sha512, false),
            SigAlg::RsaPssSha256 => (None, Sha256, true),
            SigAlg::RsaPssSha384 => (None, Sha384, true),
            SigAlg::RsaPssSha512 => (None, Sha512, true),
        };
        (key.curve() == curve).then_some(Self { hash, pss })
    }

    fn algorithm(self) -> &'static aws_lc_rs::digest::Algorithm {
        match self.hash {
            wire::HashAlgorithm::Sha384 => &SHA384,
            wire::HashAlgorithm::Sha512 => &SHA512,
            _ => &SHA256,
        }
    }

    /// As long as the digest, as TLS and JWS have it.
    fn salt(self) -> i32 {
        i32::try_from(self.algorithm().output_len()).unwrap_or_default()
    }
}

struct Found {
    id: String,
    spki: Vec<u8>,
    fingerprint: String,
}

struct OneKey(Option<Found>);
struct Keys(Vec<Found>);

struct Signature {
    signature: Vec<u8>,
    fingerprint: String,
}

macro_rules! of_either_side {
    ($package:ident) => {
        impl From<$package::PublicKey> for Found {
            fn from(key: $package::PublicKey) -> Self {
                Self { id: key.id, spki: key.pkix_data, fingerprint: key.fingerprint }
            }
        }
        impl From<$package::GenerateKeyResponse> for OneKey {
            fn from(answer: $package::GenerateKeyResponse) -> Self {
                Self(answer.public_key.map(Into::into))
            }
        }
        impl From<$package::GetPublicKeyResponse> for OneKey {
            fn from(answer: $package::GetPublicKeyResponse) -> Self {
                Self(answer.public_key.map(Into::into))
            }
        }
        impl From<$package::GetPublicKeysResponse> for Keys {
            fn from(answer: $package::GetPublicKeysResponse) -> Self {
                Self(answer.public_keys.into_iter().map(Into::into).collect())
            }
        }
        impl From<$package::SignDataResponse> for Signature {
            fn from(answer: $package::SignDataResponse) -> Self {
                Self { signature: answer.signature, fingerprint: answer.key_fingerprint }
            }
        }
        impl From<How> for $package::sign_data_request::SignerOpts {
            fn from(how: How) -> Self {
                let hash_algorithm = how.hash.into();
                match how.pss {
                    false => Self::HashAlgorithm(hash_algorithm),
                    true => Self::PssOptions($package::sign_data_request::PssOptions {
                        salt_length: how.salt(),
                        hash_algorithm,
                    }),
                }
            }
        }
    };
}

of_either_side!(wire);
of_either_side!(agent);
