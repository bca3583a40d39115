//! Moving one line of authorities on.

use std::time::SystemTime;

use model::ports::KeyManager;
use spiffe::bundle::Bundle;
use tonic::Code;

use super::super::error::AuthorityError;
use super::super::handle::Desk;
use super::super::journal::Book;
use super::super::kind::Kind;
use super::super::line::{Line, Need, Next};
use super::super::moment::moment;
use super::super::own_bundle::amend;
use super::super::slot::Slot;
use super::super::stage::{Authority, Draft, Prepared, StageName};
use crate::registry::Registry;

/// What the rotation of one line needs of the keeper.
pub(super) struct Hands<'a> {
    pub(super) registry: &'a Registry,
    pub(super) keys: &'a dyn KeyManager,
    pub(super) desk: &'a Desk,
    pub(super) book: &'a mut Book,
    pub(super) unsaved: &'a mut bool,
}

impl Hands<'_> {
    /// Moves a line on as far as it goes, and returns when it is to move next.
    pub(super) async fn rotate<K: Kind>(
        &mut self,
        line: &mut Line<K>,
        now: SystemTime,
    ) -> Result<SystemTime, AuthorityError> {
        // Preparing and activating, and once more after a long sleep. Lives too short to keep up with end here.
        for _ in 0..4 {
            match line.need(now) {
                Need::Prepare(slot) => self.prepare(line, slot, now).await?,
                Need::Activate => self.activate(line).await,
                Need::Wait(until) => return Ok(until),
            }
        }
        Ok(now)
    }

    /// Makes the next authority of a line and publishes it. One that was prepared before is given up first: its key is
    /// overwritten, so that a restart could not go on with it.
    pub(super) async fn prepare<K: Kind>(
        &mut self,
        line: &mut Line<K>,
        slot: Slot,
        now: SystemTime,
    ) -> Result<(), AuthorityError> {
        if matches!(line.next, Next::Prepared(_)) {
            line.next = Next::Empty;
        }
        let call = K::preparations().start(&[]);
        let prepared = self.publish(slot, now).await;
        call.with(&prepared, |_| Code::Internal);
        line.next = Next::Prepared(prepared?);
        Ok(())
    }

    /// Makes an authority and publishes it. It is in the bundle and in the journal, or in neither.
    async fn publish<K: Kind>(
        &mut self,
        slot: Slot,
        now: SystemTime,
    ) -> Result<Authority<K, Prepared>, AuthorityError> {
        tracing::debug!(slot = slot.as_str(), "Preparing {}", K::NAME);
        let signer = self
            .keys
            .generate(K::key_name(slot), K::key_type(&self.desk.settings))
            .await
            .map_err(|e| AuthorityError::key(K::key_name(slot), e))?;
        step::<K>("key made");
        let key = K::make(signer, self.desk, now).await?;
        step::<K>("made");
        let draft = Draft { slot, issued_at: now, key };
        let book = self.book.with(&draft);
        let add = |bundle: &mut Bundle| draft.key.add_to(bundle);
        let bundle = amend(self.registry, &self.desk.trust_domain, add, vec![book.write()]).await?;
        step::<K>("published");
        *self.book = book;
        *self.unsaved = false;
        let prepared = Authority::seen_in(&bundle, draft)
            .map_err(|draft| AuthorityError::Vanished(draft.key.id().to_owned()))?;
        log(&prepared, "prepared");
        Ok(prepared)
    }

    /// The prepared authority takes over. It signs even if that cannot be written down now: it is in the bundle, and a
    /// restart would come to the same.
    pub(super) async fn activate<K: Kind>(&mut self, line: &mut Line<K>) {
        step::<K>("to be activated");
        let old = line.hand_over();
        serve(self.desk, line);
        step::<K>("activated");
        let Some(active) = &line.active else { return };
        self.book.handed_over::<K>(old.as_deref(), active.id());
        *self.unsaved = true;
        match self.registry.write(self.book.write()).await {
            Ok(_) => *self.unsaved = false,
            Err(error) => tracing::error!(
                local_authority_id = active.id(),
                error = %error,
                "Failed to update to activated status on {} journal entry", K::NAME
            ),
        }
        step::<K>("activation written down");
    }
}

/// A stop right after this must do no harm.
fn step<K: Kind>(what: &str) {
    kit::steps::done(K::NAME, what);
}

/// Makes the active authority of a line the one that signs.
pub(super) fn serve<K: Kind>(desk: &Desk, line: &Line<K>) {
    if let Some(active) = &line.active {
        active.signing_key().serve(desk);
        log(active, "activated");
    }
}

fn log<K: Kind, S: StageName>(authority: &Authority<K, S>, what: &str) {
    let state = authority.state();
    tracing::info!(
        slot = state.slot.as_str(),
        issued_at = moment(state.issued_at),
        expiration = moment(state.expires_at),
        local_authority_id = state.id,
        upstream_authority_id = state.upstream_id,
        self_signed = state.upstream_id.is_empty(),
        "{} {what}",
        K::NAME
    );
}
