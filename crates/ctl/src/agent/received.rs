//! X.509-SVIDs as the Workload API gave them, checked and printed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kit::duration;
use proto::workload::X509svidResponse;
use spiffe::SpiffeId;
use spiffe::bundle::Bundle;
use spiffe::key::PrivateKey;
use spiffe::x509::{Certificate, X509Svid};

use crate::fault::Fault;
use crate::{credentials, text};

/// What one answer held.
pub(super) struct Received {
    /// The SVIDs, the first of which is the workload's default.
    pub(super) svids: Vec<Svid>,
    /// The bundles of other trust domains, by their IDs.
    pub(super) federated: BTreeMap<String, Bundle>,
}

/// One SVID.
pub(super) struct Svid {
    pub(super) svid: X509Svid,
    pub(super) hint: String,
    pub(super) key: PrivateKey,
    pub(super) bundle: Bundle,
}

/// Reads an answer; every SVID is verified against its bundle.
pub(super) fn read(answer: &X509svidResponse, now: SystemTime) -> Result<Received, Fault> {
    if answer.svids.is_empty() {
        return Err(Fault::Answer("workload response contains no svids".to_owned()));
    }
    let federated = answer.federated_bundles.iter().map(|(id, der)| {
        let bundle = SpiffeId::parse(id)
            .map_err(|e| e.to_string())
            .and_then(|id| credentials::certificates(&id.trust_domain(), der))
            .map_err(|e| {
                Fault::Answer(format!("the bundle of federated domain {id:?} cannot be read: {e}"))
            })?;
        Ok((id.clone(), bundle))
    });
    let federated = federated.collect::<Result<_, Fault>>()?;
    let svids = answer.svids.iter().enumerate().map(|(at, message)| {
        let read = credentials::svid(
            &message.spiffe_id,
            &message.x509_svid,
            &message.x509_svid_key,
            &message.bundle,
            now,
        );
        let (svid, key, bundle) = read
            .map_err(|e| Fault::Answer(format!("SVID #{at} with SPIFFE ID {:?}: {e}", message.spiffe_id)))?;
        Ok(Svid { svid, hint: message.hint.clone(), key, bundle })
    });
    Ok(Received { svids: svids.collect::<Result<_, Fault>>()?, federated })
}

/// Prints SVIDs with their times and those of their authorities.
pub(super) fn print(received: &Received, took: Duration, out: &mut dyn Write) -> io::Result<()> {
    let number = text::count(received.svids.len(), "svid", "svids");
    writeln!(out, "Received {number} after {}", duration::format(took))?;
    for Svid { svid, hint, bundle, .. } in &received.svids {
        writeln!(out)?;
        writeln!(out, "SPIFFE ID:\t\t{}", svid.id())?;
        if !hint.is_empty() {
            writeln!(out, "Hint:\t\t\t{hint}")?;
        }
        validity(out, "SVID", svid.leaf())?;
        for (number, certificate) in (1..).zip(svid.chain().iter().skip(1)) {
            validity(out, &format!("Intermediate #{number}"), certificate)?;
        }
        authorities(out, "", bundle)?;
        for (id, bundle) in &received.federated {
            authorities(out, &format!("[{id}] "), bundle)?;
        }
    }
    writeln!(out)
}

fn authorities(out: &mut dyn Write, prefix: &str, bundle: &Bundle) -> io::Result<()> {
    let mut numbered = (1..).zip(bundle.x509_authorities());
    numbered.try_for_each(|(number, authority): (u32, _)| {
        validity(out, &format!("{prefix}CA #{number}"), &authority.certificate)
    })
}

fn validity(out: &mut dyn Write, what: &str, certificate: &Certificate) -> io::Result<()> {
    writeln!(out, "{what} Valid After:\t{}", time(certificate.not_before()))?;
    writeln!(out, "{what} Valid Until:\t{}", time(certificate.not_after()))
}

fn time(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    text::time(i64::try_from(seconds).unwrap_or(i64::MAX))
}
