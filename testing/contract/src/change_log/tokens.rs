//! Join tokens: secrets that work once.

use futures_util::future::join_all;
use model::ports::ChangeLog;
use model::{Cursor, Expect, RowKey, UnixTime, Write, WriteFault};

use super::asked::{after, batch, done, head, refused, write};
use super::sample::{agent, spend, token};

fn create(value: &str, expires_at: i64) -> Write {
    Write::CreateToken(token(value, expires_at))
}

/// Until the moment it ends, and not again.
pub async fn a_join_token_is_spent_once(log: &dyn ChangeLog) {
    done(log, create("secret", 100)).await;
    assert_eq!(refused(log, spend("other", 50)).await, WriteFault::NotFound("join token"));
    done(log, spend("secret", 100)).await;
    assert_eq!(refused(log, spend("secret", 100)).await, WriteFault::NotFound("join token"));
    let changes = after(log, Cursor::default(), 10).await;
    assert!(changes.iter().all(|change| change.key == RowKey::Token && change.row.is_none()));
}

/// The second try does not find it.
pub async fn an_expired_join_token_is_refused_and_gone(log: &dyn ChangeLog) {
    done(log, create("secret", 100)).await;
    assert_eq!(refused(log, spend("secret", 101)).await, WriteFault::TokenExpired);
    assert_eq!(refused(log, spend("secret", 99)).await, WriteFault::NotFound("join token"));
    done(log, create("secret", 100)).await;
    let together = Write::All(vec![create("other", 100), spend("secret", 101)]);
    assert_eq!(refused(log, together).await, WriteFault::TokenExpired);
    assert_eq!(refused(log, spend("secret", 99)).await, WriteFault::NotFound("join token"));
    assert_eq!(refused(log, spend("other", 99)).await, WriteFault::NotFound("join token"));
}

/// An operator may choose the value.
pub async fn a_join_token_value_is_taken_once(log: &dyn ChangeLog) {
    done(log, create("secret", 100)).await;
    assert_eq!(refused(log, create("secret", 200)).await, WriteFault::Exists("join token"));
    done(log, spend("secret", 50)).await;
    done(log, create("secret", 200)).await;
}

/// Those that ended before the moment, in one change.
pub async fn expired_join_tokens_are_swept(log: &dyn ChangeLog) {
    for (value, end) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        done(log, create(value, end)).await;
    }
    assert_eq!(done(log, Write::SweepTokens(UnixTime(3))).await.len(), 1);
    for gone in ["a", "b"] {
        assert_eq!(refused(log, spend(gone, 0)).await, WriteFault::NotFound("join token"));
    }
    for kept in ["c", "d"] {
        done(log, spend(kept, 0)).await;
    }
}

/// A sweep may run as often as it likes.
pub async fn a_sweep_of_nothing_makes_no_change(log: &dyn ChangeLog) {
    done(log, create("a", 9)).await;
    let before = head(log).await;
    assert!(done(log, Write::SweepTokens(UnixTime(9))).await.is_empty());
    assert_eq!(head(log).await, before);
}

/// If the agent cannot be written, the token is not lost.
pub async fn a_join_token_is_spent_with_what_it_pays_for(log: &dyn ChangeLog) {
    done(log, create("secret", 100)).await;
    let attest =
        |expect| Write::All(vec![spend("secret", 50), Write::PutAgent { agent: agent("a"), expect }]);
    assert_eq!(refused(log, attest(Expect::Revision(3))).await, WriteFault::NotFound("agent"));
    assert_eq!(done(log, attest(Expect::Absent)).await.len(), 2);
}

/// In one batch or in several.
pub async fn one_of_many_spenders_gets_the_token(log: &dyn ChangeLog) {
    done(log, create("one", 100)).await;
    let answers = batch(log, (0..5).map(|_| spend("one", 50)).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    done(log, create("two", 100)).await;
    let answers = join_all((0..5).map(|_| write(log, spend("two", 50)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}
