//! What went well, what did not, and whom we met.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use serde_json::json;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use crate::{Failure, show};

#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    requests: u32,
    failures: u32,
    serials: BTreeSet<String>,
    issuers: BTreeSet<Vec<u8>>,
}

/// The peer's leaf: its serial number and the authority that signed it.
pub(crate) struct Peer {
    serial: String,
    issuer: Vec<u8>,
}

impl Peer {
    /// The peer of a handshake that has verified its chain; refused unless it is `expected`.
    pub(crate) fn of(chain: Option<&[CertificateDer<'_>]>, expected: &str) -> Result<Self, Failure> {
        let leaf = chain.and_then(<[_]>::first).ok_or("the peer showed no certificate")?;
        let (_, leaf) = x509_parser::parse_x509_certificate(leaf)?;
        let names = leaf.subject_alternative_name()?.ok_or("the peer's certificate names nobody")?;
        let ids = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(id) => Some(*id),
            _ => None,
        });
        if !ids.eq([expected]) {
            return Err(format!("the peer is not {expected}: {:?}", names.value.general_names).into());
        }
        let issuer = leaf.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                id.key_identifier.as_ref().map(|key| key.0.to_vec())
            }
            _ => None,
        });
        let issuer = issuer.ok_or("the peer's certificate names no authority key")?;
        Ok(Self { serial: leaf.serial.to_string(), issuer })
    }
}

impl Tally {
    pub(crate) fn count(&self, outcome: Result<Peer, Failure>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.requests += 1;
        match outcome {
            Ok(peer) => {
                counts.serials.insert(peer.serial);
                counts.issuers.insert(peer.issuer);
            }
            Err(failure) => {
                counts.failures += 1;
                show(&json!({ "failure": failure.to_string() }));
            }
        }
    }

    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        show(&json!({
            "requests": counts.requests,
            "failures": counts.failures,
            "serials": counts.serials.len(),
            "issuers": counts.issuers.len(),
        }));
        match counts.failures {
            0 => Ok(()),
            failures => Err(format!("{failures} of {} requests failed", counts.requests).into()),
        }
    }
}
