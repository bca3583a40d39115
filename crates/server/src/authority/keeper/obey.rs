//! Carrying out what operators order.

use std::time::SystemTime;

use spiffe::bundle::{Bundle, BundleError};

use super::super::error::AuthorityError;
use super::super::kind::Kind;
use super::super::line::Line;
use super::super::order::{Family, Order, OrderError, Ordered};
use super::super::own_bundle::{AmendError, amend};
use super::super::state::{AuthorityState, Stage};
use super::super::x509::authority_id;
use super::hands::Hands;
use super::{Keeper, Lines};

/// The authority that an order was about, where the order has one.
type Done = Result<Option<AuthorityState>, OrderError>;

impl Keeper {
    /// Carries out an order and answers it. What it changed is laid out before.
    pub(in super::super) async fn obey(&mut self, ordered: Ordered) {
        let done = self.carry_out(ordered.order).await;
        self.tell();
        // Who gave the order may be gone; what is done is done.
        let _ = ordered.answer.send(done);
    }

    async fn carry_out(&mut self, order: Order) -> Done {
        let now = self.desk.clock.now();
        match order {
            Order::Prepare(Family::X509) => {
                let (hands, Lines { x509: line, .. }) = self.hands();
                prepare(hands, line, now).await
            }
            Order::Prepare(Family::Jwt) => {
                let (hands, Lines { jwt: line, .. }) = self.hands();
                prepare(hands, line, now).await
            }
            Order::Activate(Family::X509, id) => {
                let (hands, Lines { x509: line, .. }) = self.hands();
                activate(hands, line, &id).await
            }
            Order::Activate(Family::Jwt, id) => {
                let (hands, Lines { jwt: line, .. }) = self.hands();
                activate(hands, line, &id).await
            }
            Order::Taint(Family::X509, _) if self.desk.upstream.is_some() => Err(OrderError::Upstream),
            Order::Taint(Family::X509, id) => {
                let state = old(&self.x509, &id)?;
                self.amend(|bundle| taint_x509(bundle, &id)).await?;
                tracing::info!(local_authority_id = id, "X.509 authority tainted successfully");
                Ok(Some(state))
            }
            Order::Taint(Family::Jwt, id) => {
                let state = old(&self.jwt, &id)?;
                self.amend(|bundle| taint_jwt(bundle, &id)).await?;
                tracing::info!(local_authority_id = id, "JWT authority tainted successfully");
                Ok(Some(state))
            }
            Order::Revoke(Family::X509, _) if self.desk.upstream.is_some() => Err(OrderError::Upstream),
            Order::Revoke(Family::X509, id) => {
                let state = old(&self.x509, &id)?;
                self.amend(|bundle| revoke_x509(bundle, &id)).await?;
                tracing::info!(local_authority_id = id, "X.509 authority revoked successfully");
                Ok(Some(state))
            }
            Order::Revoke(Family::Jwt, id) => self.revoke_jwt(&id).await.map(|()| None),
            Order::TaintUpstream(id) => {
                self.old_upstream(&id)?;
                self.amend(|bundle| taint_x509(bundle, &id)).await?;
                tracing::info!(subject_key_id = id, "X.509 upstream authority tainted successfully");
                Ok(None)
            }
            Order::RevokeUpstream(id) => {
                self.old_upstream(&id)?;
                self.amend(|bundle| revoke_x509(bundle, &id)).await?;
                tracing::info!(subject_key_id = id, "X.509 upstream authority successfully revoked");
                Ok(None)
            }
        }
    }

    /// A JWT key of another server, or one from long ago, may be revoked as well: whatever the bundle has and does not
    /// sign here.
    async fn revoke_jwt(&mut self, id: &str) -> Result<(), OrderError> {
        let known = self.jwt.states().into_iter().find(|state| state.id == id);
        match &known {
            _ if id.is_empty() => return Err(OrderError::NoName),
            Some(state) if state.stage == Stage::Active => return Err(OrderError::Active),
            Some(state) if state.stage == Stage::Prepared => return Err(OrderError::Stage(state.stage)),
            _ => {}
        }
        match self.amend(|bundle| revoke_jwt(bundle, id)).await {
            // Neither here nor of another server.
            Err(OrderError::NotInBundle { .. }) if known.is_none() => return Err(OrderError::Unknown),
            done => done?,
        }
        tracing::info!(local_authority_id = id, "JWT authority revoked successfully");
        Ok(())
    }

    /// Refuses unless it is the old X.509 CA, and no other, that the upstream authority of this name has signed.
    fn old_upstream(&self, id: &str) -> Result<(), OrderError> {
        if self.desk.upstream.is_none() {
            return Err(OrderError::NoUpstream);
        }
        let signed = |state: &&AuthorityState| state.upstream_id == id;
        match self.x509.states().iter().find(signed).map(|state| state.stage) {
            _ if id.is_empty() => Err(OrderError::NoName),
            Some(Stage::Old) => Ok(()),
            Some(Stage::Active) => Err(OrderError::Active),
            Some(Stage::Prepared) => Err(OrderError::Stage(Stage::Prepared)),
            None => Err(OrderError::Unknown),
        }
    }

    async fn amend(
        &self,
        change: impl Fn(&mut Bundle) -> Result<(), OrderError> + Send + Sync,
    ) -> Result<(), OrderError> {
        let change = |bundle: &mut Bundle| change(bundle).map(|()| true);
        kit::steps::done("order", "to be carried out");
        match amend(&self.registry, &self.desk.trust_domain, change, Vec::new()).await {
            Ok(_) => {
                kit::steps::done("order", "carried out");
                Ok(())
            }
            Err(AmendError::Bundle(refused)) => Err(refused),
            Err(AmendError::Registry(error)) => Err(error.into()),
            Err(contended) => Err(AuthorityError::Publish(contended.to_string()).into()),
        }
    }
}

async fn prepare<K: Kind>(mut hands: Hands<'_>, line: &mut Line<K>, now: SystemTime) -> Done {
    let slot = line.active.as_ref().ok_or(OrderError::Initializing)?.slot().other();
    hands.prepare(line, slot, now).await?;
    Ok(line.next_state())
}

/// Only what is prepared takes over.
async fn activate<K: Kind>(mut hands: Hands<'_>, line: &mut Line<K>, id: &str) -> Done {
    match line.next_state() {
        _ if id.is_empty() => return Err(OrderError::NoName),
        Some(state) if state.id == id && state.stage == Stage::Prepared => {}
        Some(state) if state.id == id => return Err(OrderError::Stage(state.stage)),
        _ => return Err(OrderError::Unknown),
    }
    hands.activate(line).await;
    Ok(line.states().into_iter().next())
}

/// The old authority, if it is the one of that name.
fn old<K: Kind>(line: &Line<K>, id: &str) -> Result<AuthorityState, OrderError> {
    if id.is_empty() {
        return Err(OrderError::NoName);
    }
    let state = line.states().into_iter().find(|state| state.id == id).ok_or(OrderError::Unknown)?;
    match state.stage {
        Stage::Old => Ok(state),
        Stage::Active => Err(OrderError::Active),
        Stage::Prepared => Err(OrderError::Stage(state.stage)),
    }
}

const CA: (&str, &str) = ("root CA", "subject key ID");
const KEY: (&str, &str) = ("JWT Key", "key ID");

fn absent((what, name): (&'static str, &'static str)) -> OrderError {
    OrderError::NotInBundle { what, name }
}

fn taint_x509(bundle: &mut Bundle, id: &str) -> Result<(), OrderError> {
    let found = bundle.x509_authorities().iter().find(|a| authority_id(&a.certificate) == id);
    let mut authority = found.cloned().ok_or(absent(CA))?;
    authority.tainted = true;
    tainted(bundle.push_x509(authority), CA.0)
}

fn taint_jwt(bundle: &mut Bundle, id: &str) -> Result<(), OrderError> {
    let mut authority = bundle.jwt_authority(id).cloned().ok_or(absent(KEY))?;
    authority.tainted = true;
    tainted(bundle.push_jwt(authority), "key")
}

/// Pushing what is there says whether its taint is news.
fn tainted(pushed: Result<bool, BundleError>, what: &'static str) -> Result<(), OrderError> {
    match pushed {
        Ok(true) => Ok(()),
        // It was read from this bundle, so it fits.
        Ok(false) | Err(_) => Err(OrderError::AlreadyTainted(what)),
    }
}

fn revoke_x509(bundle: &mut Bundle, id: &str) -> Result<(), OrderError> {
    let found = bundle.x509_authorities().iter().find(|a| authority_id(&a.certificate) == id);
    if !found.ok_or(absent(CA))?.tainted {
        return Err(OrderError::NotTainted(CA.0));
    }
    bundle.retain_x509(|a| authority_id(&a.certificate) != id);
    Ok(())
}

fn revoke_jwt(bundle: &mut Bundle, id: &str) -> Result<(), OrderError> {
    if !bundle.jwt_authority(id).ok_or(absent(KEY))?.tainted {
        return Err(OrderError::NotTainted("key"));
    }
    bundle.retain_jwt(|a| a.key_id != id);
    Ok(())
}
