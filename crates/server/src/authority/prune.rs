//! Dropping what has long ended: authorities from the bundle, journals of servers that are gone.

use std::time::{Duration, SystemTime};

use model::{UnixTime, Write};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, JwtAuthority, WitAuthority, X509Authority};

use super::journal::Book;
use super::moment::moment;
use super::own_bundle::{AmendError, amend};
use crate::metrics::BUNDLE_PRUNED;
use crate::registry::{Registry, RegistryError};

/// How long after its end an authority stays in the bundle (SPIRE 1.16).
const BUNDLE_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after its last authority's end a journal stays (SPIRE 1.16).
const JOURNAL_GRACE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

fn stale(end: SystemTime, now: SystemTime) -> bool {
    end + BUNDLE_GRACE <= now
}

fn x509_stale(authority: &X509Authority, now: SystemTime) -> bool {
    stale(authority.certificate.not_after(), now)
}

fn jwt_stale(authority: &JwtAuthority, now: SystemTime) -> bool {
    authority.expires_at.is_some_and(|end| stale(end, now))
}

fn wit_stale(authority: &WitAuthority, now: SystemTime) -> bool {
    authority.expires_at.is_some_and(|end| stale(end, now))
}

/// Why nothing may be dropped: a bundle that nobody renews must not become empty.
fn halted(bundle: &Bundle, now: SystemTime) -> Option<&'static str> {
    let (x509, jwt) = (bundle.x509_authorities(), bundle.jwt_authorities());
    if x509.iter().all(|a| x509_stale(a, now)) {
        return Some("Pruning halted; all known CA certificates have expired");
    }
    if !jwt.is_empty() && jwt.iter().all(|a| jwt_stale(a, now)) {
        return Some("Pruning halted; all known JWT signing keys have expired");
    }
    None
}

/// Drops from the bundle of `td` what ended more than a day ago.
pub(super) async fn prune_bundle(
    registry: &Registry,
    td: &TrustDomain,
    now: SystemTime,
) -> Result<(), AmendError> {
    let Some(before) = registry.snapshot().bundle(td).cloned() else { return Ok(()) };
    if let Some(why) = halted(&before, now) {
        tracing::warn!("{why}");
        return Ok(());
    }
    let drop = |bundle: &mut Bundle| {
        if halted(bundle, now).is_some() {
            return Ok(false);
        }
        let x509 = bundle.retain_x509(|a| !x509_stale(a, now));
        let jwt = bundle.retain_jwt(|a| !jwt_stale(a, now));
        // None may be left: WIT-SVIDs may have been switched off.
        let wit = bundle.retain_wit(|a| !wit_stale(a, now));
        Ok(x509 || jwt || wit)
    };
    let after = amend(registry, td, drop, Vec::new()).await?;
    if after.sequence != before.sequence {
        BUNDLE_PRUNED.add(1, &[]);
        announce(&before, now);
        tracing::debug!("Expired certificates were successfully pruned from bundle");
    }
    Ok(())
}

/// Says what was dropped.
fn announce(before: &Bundle, now: SystemTime) {
    for authority in before.x509_authorities().iter().filter(|a| stale(a.certificate.not_after(), now)) {
        let serial_num = authority.certificate.serial_decimal();
        let expiration = moment(authority.certificate.not_after());
        tracing::info!(serial_num, expiration, "Pruning CA certificate due to expiration");
    }
    for authority in before.jwt_authorities() {
        if let Some(end) = authority.expires_at.filter(|end| stale(*end, now)) {
            tracing::info!(
                kid = authority.key_id,
                expiration = moment(end),
                "Pruning JWT signing key due to expiration"
            );
        }
    }
    for authority in before.wit_authorities() {
        if let Some(end) = authority.expires_at.filter(|end| stale(*end, now)) {
            tracing::info!(
                kid = authority.key_id,
                expiration = moment(end),
                "Pruning WIT signing key due to expiration"
            );
        }
    }
}

/// Removes the journals of servers whose last authority ended more than two weeks ago; never the one named `own`.
pub(super) async fn prune_journals(
    registry: &Registry,
    own: &str,
    now: SystemTime,
) -> Result<(), RegistryError> {
    let limit = UnixTime::of(now.checked_sub(JOURNAL_GRACE).unwrap_or(now));
    let snapshot = registry.snapshot();
    for journal in snapshot.journals().filter(|j| j.id != own && Book::ended_before(j, limit)) {
        tracing::info!(
            ca_journal_id = journal.id,
            "Removing the CA journal of a server whose authorities have all ended"
        );
        match registry.write(Write::DeleteJournal(journal.id.clone())).await {
            // Another server was faster.
            Ok(_) | Err(RegistryError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
