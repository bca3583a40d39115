//! Following the bundle of the authority above: its roots and keys come here, and so do their taints.

use std::sync::Arc;
use std::time::Duration;

use spiffe::bundle::{Bundle, BundleError, X509Authority};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::error::{AuthorityError, chain};
use super::super::handle::Desk;
use super::super::line::{Line, Next};
use super::super::own_bundle::amend;
use super::super::x509::{X509Ca, authority_id};
use super::{Keeper, Lines};

/// How often the authority above is asked for its bundle (SPIRE 1.16).
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Asks the authority above for its bundle, on a task of its own so that one that does not answer holds up nothing.
/// What comes is what changed since; an authority that has no bundle to follow is asked once.
pub(super) fn watch(desk: Arc<Desk>, stop: CancellationToken) -> mpsc::Receiver<Bundle> {
    let (news, receiver) = mpsc::channel(1);
    if desk.upstream.is_some() {
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = ask(&desk, news) => {}
            }
        });
    }
    receiver
}

async fn ask(desk: &Desk, news: mpsc::Sender<Bundle>) {
    let Some(upstream) = &desk.upstream else { return };
    loop {
        match upstream.bundle().await {
            // Each is handed over, changed or not: what could not be written the last time is tried again.
            Ok(Some(bundle)) => {
                if news.send(bundle).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(error = %error, upstream_authority = upstream.name(), "Failed to fetch the bundle of the upstream authority");
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

impl Keeper {
    /// Makes the own bundle have what the one above has. A root that is tainted there is tainted here only once this
    /// server no longer signs below it: whoever gets SVIDs here replaces them then, and must get better ones.
    pub(in super::super) async fn follow(&mut self, above: &Bundle) {
        if let Err(error) = self.try_follow(above).await {
            tracing::error!(error = chain(&error), "Failed to follow the bundle of the upstream authority");
        }
        self.tell();
    }

    async fn try_follow(&mut self, above: &Bundle) -> Result<(), AuthorityError> {
        let td = self.desk.trust_domain.clone();
        if above.trust_domain() != &td {
            let why = format!("the bundle is of trust domain {}", above.trust_domain());
            return Err(AuthorityError::Unusable(why));
        }
        let own = self.registry.snapshot().bundle(&td).cloned();
        let tainted: Vec<&X509Authority> = above
            .x509_authorities()
            .iter()
            .filter(|root| root.tainted && own.as_deref().is_none_or(|own| taint_of(own, root) != Some(true)))
            .collect();
        if self.x509.active.as_ref().is_some_and(|ca| stands_below(ca.signing_key(), &tainted)) {
            tracing::info!("Current root CA is signed by a tainted upstream authority, preparing rotation");
            self.leave(&tainted).await?;
        }
        let changed = |bundle: &mut Bundle| take_over(bundle, above);
        let bundle = amend(&self.registry, &td, changed, Vec::new()).await?;
        if own.as_deref().is_none_or(|own| own.sequence != bundle.sequence) {
            kit::steps::done("bundle above", "taken over");
        }
        for root in own.iter().flat_map(|own| own.x509_authorities()).filter(|root| root.tainted) {
            if taint_of(&bundle, root).is_none() {
                let subject_key_id = authority_id(&root.certificate);
                tracing::info!(subject_key_id, "X.509 authority revoked");
            }
        }
        for root in tainted {
            let subject_key_id = authority_id(&root.certificate);
            tracing::info!(subject_key_id, "X.509 authority tainted");
        }
        Ok(())
    }

    /// Has an authority take over that does not stand below these roots.
    async fn leave(&mut self, tainted: &[&X509Authority]) -> Result<(), AuthorityError> {
        let now = self.desk.clock.now();
        let (mut hands, Lines { x509: line, .. }) = self.hands();
        if !is_prepared(line, tainted) {
            let slot = line.free_slot();
            hands.prepare(line, slot, now).await?;
        }
        if !is_prepared(line, tainted) {
            let why =
                "it stands below a tainted root as well; the upstream authority has to be rotated first";
            return Err(AuthorityError::Unusable(why.to_owned()));
        }
        hands.activate(line).await;
        Ok(())
    }
}

fn is_prepared(line: &Line<X509Ca>, tainted: &[&X509Authority]) -> bool {
    matches!(&line.next, Next::Prepared(next) if !stands_below(next.key(), tainted))
}

fn stands_below(ca: &X509Ca, roots: &[&X509Authority]) -> bool {
    roots.iter().any(|root| root.certificate.subject_der() == ca.anchor())
}

/// Whether the bundle has the root, and if so whether it is tainted.
fn taint_of(bundle: &Bundle, root: &X509Authority) -> Option<bool> {
    let held = bundle.x509_authorities().iter().find(|held| held.certificate == root.certificate);
    held.map(|held| held.tainted)
}

/// Adds what is new above, with its taints, and drops what is tainted here and gone above. What is not tainted stays:
/// it may be the key of this server, which the one above has not told yet.
fn take_over(bundle: &mut Bundle, above: &Bundle) -> Result<bool, BundleError> {
    let mut news = false;
    for root in above.x509_authorities() {
        news |= bundle.push_x509(root.clone())?;
    }
    for key in above.jwt_authorities() {
        news |= bundle.push_jwt(key.clone())?;
    }
    news |= bundle.retain_x509(|held| !held.tainted || taint_of(above, held).is_some());
    news |= bundle.retain_jwt(|held| !held.tainted || above.jwt_authority(&held.key_id).is_some());
    Ok(news)
}
