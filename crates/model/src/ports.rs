//! The ports: what engines ask of the world. Adapters implement them; one contract suite runs against each.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use spiffe::SpiffeId;
use spiffe::bundle::{Bundle, JwtAuthority};
use spiffe::key::{KeyType, PublicKey, Signer};
use spiffe::x509::Certificate;

use crate::{Attested, Change, Changes, Cursor, Row, Selectors, Write, WriteFault};

/// Why the registry's database did not answer. Whether to try again is decided by kind.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk is full. Nothing was written; free room and try again.
    #[error("the disk that holds {place} is full: free some room; nothing was written")]
    Full {
        /// The file or database.
        place: String,
    },
    /// The database may not be written. Nothing was.
    #[error(
        "{place} cannot be written: {why}; check its owner and mode, and that the file system is not mounted read-only"
    )]
    ReadOnly {
        /// The file or database.
        place: String,
        /// What the database said.
        why: String,
    },
    /// Out of reach or too busy for now; trying again may help.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    /// What is stored makes no sense.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// The database is of another version of Bonafide, or of another program.
    #[error("{0}")]
    Schema(String),
}

/// The ordered log of changes and the tables it moves.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// Does these writes in one transaction, in order; each stands or falls alone. Returns, for each, its changes (the
    /// rows as each leaves them) or why it was refused. An error means that none was done.
    /// `number` order is commit order, without a gap. What is returned `Ok` is durable. A refused write makes no change.
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteFault>>, LogError>;

    /// Gives every row to `sink`, all as of the cursor returned.
    async fn load(&self, sink: &mut (dyn FnMut(Row) + Send)) -> Result<Cursor, LogError>;

    /// The changes after `cursor`, at most `limit` of them, with the rows they name.
    async fn after(&self, cursor: Cursor, limit: usize) -> Result<Changes, LogError>;

    /// Forgets the changes before number `before`, though never the newest one: whoever has not read them must load
    /// the tables anew. The rows are not touched.
    async fn forget(&self, before: u64) -> Result<(), LogError>;

    /// Where the log stands: one row read.
    async fn head(&self) -> Result<Cursor, LogError>;

    /// How many statements it has sent to the database so far: an idle server sends none.
    fn statements(&self) -> u64;
}

/// Why a key manager did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no key of that name.
    #[error("no key \"{0}\" is held")]
    NotFound(String),
    /// The keys could not be read.
    #[error("the keys in {place} cannot be used: {why}")]
    Unreadable {
        /// The file or device.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The keys could not be kept.
    #[error("keys cannot be written to {place}: {why}")]
    Unwritable {
        /// The file or device.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The key could not be made.
    #[error("a key of type {key_type} could not be made: {why}")]
    Generate {
        /// The type asked for.
        key_type: &'static str,
        /// What went wrong.
        why: String,
    },
}

/// Holds private keys by name and signs with them.
#[async_trait]
pub trait KeyManager: Send + Sync {
    /// Makes a new key under `id`, replacing one that stood there, and keeps it before it answers.
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError>;

    /// The key of that name.
    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError>;

    /// All keys' names and public halves.
    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError>;

    /// Its name in messages: `disk`, `memory`.
    fn name(&self) -> &'static str;

    /// Whether its keys outlive the process.
    fn persistent(&self) -> bool;
}

/// Why a node was not believed.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// What the node sent is malformed.
    #[error("{0}")]
    Invalid(String),
    /// What the node sent proves nothing.
    #[error("{0}")]
    Denied(String),
    /// The attestor itself failed.
    #[error("{0}")]
    Failed(String),
    /// The node went away, or the conversation broke.
    #[error("the attestation was broken off: {0}")]
    BrokenOff(String),
}

/// The node's side of a conversation that proves who it is, as the server's attestor sees it.
#[async_trait]
pub trait Challenger: Send {
    /// Sends a challenge and waits for the response.
    async fn challenge(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, AttestError>;

    /// The node's network address as the server sees it: the immediate peer, which a load balancer may be. `None`
    /// when it is not known.
    fn address(&self) -> Option<IpAddr> {
        None
    }

    /// By what name the node asked for the server. The node's own word, for logs and for telling settings apart; it
    /// proves nothing. Empty when it is not known.
    fn asked_host(&self) -> &str {
        ""
    }

    /// The key that the agent's SVID is asked for, as `SubjectPublicKeyInfo`. `None` when it is not known.
    fn key(&self) -> Option<Vec<u8>> {
        None
    }
}

/// Spends single-use things in the database, for attestors that need one.
#[async_trait]
pub trait TokenSpender: Send + Sync {
    /// Spends a join token; `Denied` when it is unknown, used or expired.
    async fn spend(&self, token: &str) -> Result<(), AttestError>;
}

/// The server's half of a node attestor.
#[async_trait]
pub trait NodeAttestor: Send + Sync {
    /// Its name on the wire: `join_token`, `x509pop`.
    fn name(&self) -> &'static str;

    /// Judges a node by its payload, with as many challenges as it takes.
    async fn attest(
        &self,
        payload: &[u8],
        node: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError>;
}

/// The server's side of the conversation, as the agent's attestor sees it.
#[async_trait]
pub trait Prover: Send {
    /// Sends the opening payload or a challenge response; returns the next challenge, or `None` at the end.
    async fn send(&mut self, message: Vec<u8>) -> Result<Option<Vec<u8>>, AttestError>;

    /// The key that the SVID is asked for, as `SubjectPublicKeyInfo`. `None` when it is not known.
    fn key(&self) -> Option<Vec<u8>> {
        None
    }
}

/// The agent's half of a node attestor.
#[async_trait]
pub trait NodeProof: Send + Sync {
    /// Its name on the wire.
    fn name(&self) -> &'static str;

    /// Proves the node to the server: sends the payload, answers challenges.
    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError>;
}

/// A process that asks, held so that its pid cannot become another's meanwhile.
pub trait Peer: Send + Sync {
    /// Its process id.
    fn pid(&self) -> i32;
    /// Its effective user id as the socket saw it.
    fn uid(&self) -> u32;
    /// Its effective group id as the socket saw it.
    fn gid(&self) -> u32;
    /// Fails when the process has ended or the pid may be another's: asked before and after attestation.
    fn check(&self) -> Result<(), AttestError>;

    /// What attestation goes by, as it is now. `None` when it cannot be looked at: then nothing that is found out about
    /// the process may be kept.
    fn print(&self) -> Option<Print> {
        None
    }
}

/// What attestation goes by, at one moment: the program that a process runs, its users and groups, its control groups.
/// As long as two are equal, and the process has not ended in between, what was found out about it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print(Box<[u8]>);

impl Print {
    /// Of these bytes, which tell one state of a process from every other.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// Finds out about processes.
#[async_trait]
pub trait WorkloadAttestor: Send + Sync {
    /// Its name, which is the type of its selectors: `unix`.
    fn name(&self) -> &'static str;

    /// The selectors of this process.
    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError>;

    /// Whether an answer holds for as long as the process has the same [`Print`]; otherwise it is asked for each call.
    fn lasting(&self) -> bool {
        true
    }

    /// How long an answer may take. Who takes longer has failed.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Why the authority above this server did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// What it needs on this machine cannot be used.
    #[error("{0}")]
    Material(String),
    /// It does not answer for now; trying again may help.
    #[error("the upstream authority cannot be reached: {0}")]
    Unavailable(String),
    /// It says no.
    #[error("the upstream authority refused: {0}")]
    Refused(String),
    /// What it answered cannot be used.
    #[error("the upstream authority's answer cannot be used: {0}")]
    Answer(String),
}

/// A signing certificate that an upstream authority has issued.
#[derive(Debug, Clone)]
pub struct MintedCa {
    /// The certificate, then the intermediates towards a root, which is not among them unless it signs by itself.
    pub chain: Vec<Certificate>,
    /// What chains to it are verified against, each with its taint.
    pub roots: Bundle,
}

/// An authority above this server, which signs this server's X.509 CA.
#[async_trait]
pub trait UpstreamAuthority: Send + Sync {
    /// Its name in messages: `disk`, `spire`.
    fn name(&self) -> &'static str;

    /// Signs the X.509 CA that `csr` (PKCS #10, DER) asks for, to live for `ttl` from `now`, or shorter.
    async fn mint(&self, csr: Vec<u8>, ttl: Duration, now: SystemTime) -> Result<MintedCa, UpstreamError>;

    /// Has the key known to all servers below the same authority. `false` if it knows of no JWT keys.
    async fn publish_jwt(&self, key: &JwtAuthority) -> Result<bool, UpstreamError>;

    /// The trust domain's bundle as the authority has it now; `None` if it has none to follow. Asked every few seconds.
    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError>;
}

/// Why somebody could not be told of the bundle.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PublishError(pub String);

/// Puts the trust bundle where others find it. Told of it whenever it changes, and every half minute: it finds out by
/// itself what there is to do.
#[async_trait]
pub trait BundlePublisher: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// Puts this bundle there.
    async fn publish(&self, bundle: &Bundle) -> Result<(), PublishError>;
}

/// Is told of the trust bundle.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// The server starts with this bundle. A failure keeps it from starting.
    async fn bundle_loaded(&self, bundle: &Bundle) -> Result<(), PublishError>;

    /// The bundle is this one now.
    async fn bundle_updated(&self, bundle: &Bundle) -> Result<(), PublishError>;
}

/// What a policy is asked about a call.
#[derive(Debug, Clone, Copy)]
pub struct CallQuestion<'a> {
    /// The caller's proven SPIFFE ID.
    pub caller: Option<&'a SpiffeId>,
    /// The program of a caller on the admin socket, as far as the system tells it.
    pub caller_file_path: Option<&'a str>,
    /// `/package.Service/Method`
    pub full_method: &'a str,
    /// The request as JSON with the names of its fields; `None` for a stream.
    pub request: Option<&'a serde_json::Value>,
}

/// What a policy says of a call; it is let in for the first of these that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallVerdict {
    /// Whoever calls.
    pub allow: bool,
    /// Holders of an admin identity.
    pub allow_if_admin: bool,
    /// Callers on the admin socket.
    pub allow_if_local: bool,
    /// Downstream servers.
    pub allow_if_downstream: bool,
    /// Attested agents.
    pub allow_if_agent: bool,
}

/// Why a policy gave no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no result, or it is no object.
    #[error("the policy has no object data.spire.result")]
    NoResult,
    /// A boolean is missing in the result.
    #[error("the policy's result has no boolean \"{0}\"")]
    Missing(&'static str),
    /// It could not be evaluated.
    #[error("the policy cannot be evaluated: {0}")]
    Failed(String),
}

/// Decides who may call what, in the place of the server's own table.
pub trait CallPolicy: Send + Sync {
    /// Judges a call. Must not block for long: it is asked for every call.
    ///
    /// # Errors
    /// When there is no verdict; the call is then refused.
    fn judge(&self, question: &CallQuestion<'_>) -> Result<CallVerdict, PolicyError>;
}
