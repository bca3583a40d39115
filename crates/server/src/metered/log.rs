//! A log of changes whose writes are counted as SPIRE counts its calls of the database.
//!
//! Reads are answered from memory, so what SPIRE counts as fetching and listing does not happen here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use kit::metrics::Call;
use model::ports::{ChangeLog, LogError};
use model::{Change, Changes, Cursor, Expect, Row, Write, WriteFault};
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use tonic::Code;

use super::own_bundle;
use crate::metrics as m;

/// Counts what a log is asked to write.
pub(crate) struct MeteredLog {
    inner: Arc<dyn ChangeLog>,
    trust_domain: TrustDomain,
    /// The own bundle as it was last seen.
    own: Mutex<Option<Bundle>>,
}

impl MeteredLog {
    /// Counts what `inner` is asked to write by a server of this trust domain.
    pub(crate) fn new(inner: Arc<dyn ChangeLog>, trust_domain: TrustDomain) -> Self {
        Self { inner, trust_domain, own: Mutex::default() }
    }

    /// What SPIRE would have called for a write.
    fn calls(&self, write: &Write, to: &mut Vec<&'static Call>) {
        match write {
            Write::PutBundle { bundle, .. } if *bundle.trust_domain() == self.trust_domain => {
                let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
                to.push(own_bundle::call(own.as_ref(), bundle));
                *own = Some(bundle.clone());
            }
            Write::All(writes) => writes.iter().for_each(|write| self.calls(write, to)),
            write => calls(write, to),
        }
    }
}

/// What SPIRE would have called for a write of anything but the own bundle.
fn calls(write: &Write, to: &mut Vec<&'static Call>) {
    match write {
        Write::CreateEntry(_) => to.push(&m::ENTRY_CREATE),
        Write::UpdateEntry { .. } => to.push(&m::ENTRY_UPDATE),
        Write::DeleteEntry(_) => to.push(&m::ENTRY_DELETE),
        Write::PutAgent { expect: Expect::Absent, .. } => to.push(&m::NODE_CREATE),
        Write::PutAgent { .. } => to.push(&m::NODE_UPDATE),
        Write::DeleteAgent(_) => to.push(&m::NODE_DELETE),
        Write::PutBundle { expect: Expect::Absent, .. } => to.push(&m::BUNDLE_CREATE),
        Write::PutBundle { expect: Expect::Revision(_), .. } => to.push(&m::BUNDLE_UPDATE),
        Write::PutBundle { expect: Expect::Any, .. } => to.push(&m::BUNDLE_SET),
        Write::DeleteBundle { .. } => to.push(&m::BUNDLE_DELETE),
        Write::CreateToken(_) => to.push(&m::TOKEN_CREATE),
        Write::SpendToken { .. } => to.extend([&m::TOKEN_FETCH, &m::TOKEN_DELETE]),
        Write::SweepTokens(_) => to.push(&m::TOKEN_PRUNE),
        Write::PutJournal(_) => to.push(&m::JOURNAL_SET),
        Write::DeleteJournal(_) => to.push(&m::JOURNAL_PRUNE),
        Write::PutRelationship { expect: Expect::Absent, .. } => to.push(&m::RELATIONSHIP_CREATE),
        Write::PutRelationship { .. } => to.push(&m::RELATIONSHIP_UPDATE),
        Write::DeleteRelationship(_) => to.push(&m::RELATIONSHIP_DELETE),
        Write::All(_) => {}
    }
}

fn refused(fault: &WriteFault) -> Code {
    match fault {
        WriteFault::SimilarEntry(_) | WriteFault::Exists(_) => Code::AlreadyExists,
        WriteFault::NotFound(_) | WriteFault::NoBundle(_) => Code::NotFound,
        WriteFault::Conflict(_) => Code::Aborted,
        WriteFault::BundleInUse(_) => Code::FailedPrecondition,
        WriteFault::TokenExpired => Code::InvalidArgument,
    }
}

fn failed(error: &LogError) -> Code {
    match error {
        LogError::Full { .. } => Code::ResourceExhausted,
        LogError::ReadOnly { .. } => Code::FailedPrecondition,
        LogError::Unavailable(_) => Code::Unavailable,
        LogError::Corrupt(_) | LogError::Schema(_) => Code::Internal,
    }
}

#[async_trait]
impl ChangeLog for MeteredLog {
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteFault>>, LogError> {
        if !m::METRICS.is_installed() {
            return self.inner.commit(writes).await;
        }
        let began = Instant::now();
        let counted: Vec<Vec<&'static Call>> = writes
            .iter()
            .map(|write| {
                let mut found = Vec::with_capacity(1);
                self.calls(write, &mut found);
                found
            })
            .collect();
        m::COMMIT_WRITES.count(writes.len(), &[]);
        let commit = m::COMMIT.start(&[]);
        let answer = self.inner.commit(writes).await;
        commit.with(&answer, failed);
        match &answer {
            Ok(results) => {
                for (calls, result) in counted.iter().zip(results) {
                    calls.iter().for_each(|call| call.over(began, result, refused));
                }
            }
            Err(error) => counted
                .iter()
                .flatten()
                .for_each(|call| call.over(began, &Err::<(), _>(error), |e| failed(e))),
        }
        answer
    }

    async fn load(&self, sink: &mut (dyn FnMut(Row) + Send)) -> Result<Cursor, LogError> {
        let call = m::CACHE_RELOAD.start(&[]);
        let mut sink = |row: Row| {
            if let Row::Bundle(bundle) = &row
                && *bundle.trust_domain() == self.trust_domain
            {
                *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(Bundle::clone(bundle));
            }
            sink(row);
        };
        let loaded = self.inner.load(&mut sink).await;
        call.with(&loaded, failed);
        loaded
    }

    async fn after(&self, cursor: Cursor, limit: usize) -> Result<Changes, LogError> {
        self.inner.after(cursor, limit).await
    }

    async fn forget(&self, before: u64) -> Result<(), LogError> {
        self.inner.forget(before).await
    }

    async fn head(&self) -> Result<Cursor, LogError> {
        self.inner.head().await
    }

    fn statements(&self) -> u64 {
        self.inner.statements()
    }
}
