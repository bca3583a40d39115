//! What a feed's messages mean. Pure: it is told a message and says what to do.

use proto::bonafide::feed::v1::{Cursor, Down, Goodbye, down};
use proto::spire::api::types;
use spiffe::TrustDomain;

use crate::cache::Difference;
use crate::wire;

/// What to do about a message.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// A snapshot is whole: it replaces everything. Then acknowledge.
    Replace { entries: Vec<types::Entry>, bundles: Vec<types::Bundle>, number: u64 },
    /// Apply differences. Then acknowledge.
    Apply { difference: Difference, number: u64 },
    /// Complete up to here, if this is our digest.
    Beat { number: u64, digest: Vec<u8> },
    /// The stream ends.
    End(Goodbye),
}

/// A message that the rules do not allow here.
#[derive(Debug, thiserror::Error)]
#[error("the server broke the rules of the feed: {0}")]
pub(super) struct Broken(&'static str);

/// What is known of the stream.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// Up to where everything is applied.
    cursor: Option<Cursor>,
    /// The pages of a snapshot that is not whole.
    staged: Option<Staged>,
}

#[derive(Debug, Default)]
struct Staged {
    entries: Vec<types::Entry>,
    bundles: Vec<types::Bundle>,
    at: Option<Cursor>,
}

impl Intake {
    /// Where to resume.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.cursor.clone()
    }

    /// A new stream begins: what the old one did not finish is void.
    pub(super) fn restart(&mut self) {
        self.staged = None;
    }

    /// What is held came by another way: it is at no place of the feed's.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes the next message of the stream.
    pub(super) fn take(&mut self, message: Down) -> Result<Step, Broken> {
        match message.kind {
            Some(down::Kind::Welcome(welcome)) => {
                self.staged = (!welcome.resumed).then(Staged::default);
                Ok(Step::Wait)
            }
            Some(down::Kind::Page(page)) => {
                let staged = self.staged.as_mut().ok_or(Broken("a page that belongs to no snapshot"))?;
                if staged.at.as_ref().is_some_and(|at| Some(at) != page.cursor.as_ref()) {
                    return Err(Broken("pages of one snapshot at two places"));
                }
                staged.at = page.cursor;
                staged.entries.extend(page.entries);
                staged.bundles.extend(page.bundles);
                if page.last { self.whole() } else { Ok(Step::Wait) }
            }
            Some(down::Kind::Change(change)) => {
                let number = self.advance(change.cursor)?;
                let difference = Difference {
                    entries: change.entries,
                    deleted: change.deleted_entries,
                    bundles: wire::bundles(&change.bundles),
                    deleted_bundles: domains(&change.deleted_bundles),
                };
                Ok(Step::Apply { difference, number })
            }
            // A sign of life, but the snapshot goes on.
            Some(down::Kind::Heartbeat(_)) if self.staged.is_some() => Ok(Step::Wait),
            Some(down::Kind::Heartbeat(beat)) => {
                let number = self.advance(beat.cursor)?;
                Ok(Step::Beat { number, digest: beat.digest })
            }
            Some(down::Kind::Goodbye(goodbye)) => Ok(Step::End(goodbye)),
            // Something that is newer than this agent.
            None => Ok(Step::Wait),
        }
    }

    fn whole(&mut self) -> Result<Step, Broken> {
        let Staged { entries, bundles, at } = self.staged.take().unwrap_or_default();
        let at = at.ok_or(Broken("a snapshot without a place"))?;
        let number = at.number;
        self.cursor = Some(at);
        Ok(Step::Replace { entries, bundles, number })
    }

    fn advance(&mut self, to: Option<Cursor>) -> Result<u64, Broken> {
        let to = to.ok_or(Broken("a message without a place"))?;
        if self.staged.is_some() {
            return Err(Broken("differences before the last page of the snapshot"));
        }
        if self.cursor.as_ref().is_some_and(|at| to.number < at.number) {
            return Err(Broken("a place before the one that was reached"));
        }
        let number = to.number;
        self.cursor = Some(to);
        Ok(number)
    }
}

fn domains(names: &[String]) -> Vec<TrustDomain> {
    names.iter().filter_map(|name| TrustDomain::parse(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proto::bonafide::feed::v1::{Change, Heartbeat, Page, Welcome};

    use super::*;

    fn at(number: u64) -> Option<Cursor> {
        Some(Cursor { number, tag: vec![1; 8] })
    }

    fn down(kind: down::Kind) -> Down {
        Down { kind: Some(kind) }
    }

    fn welcome(resumed: bool) -> Down {
        down(down::Kind::Welcome(Welcome { resumed, ..Welcome::default() }))
    }

    fn page(number: u64, id: &str, last: bool) -> Down {
        let entries = vec![types::Entry { id: id.to_owned(), ..types::Entry::default() }];
        down(down::Kind::Page(Page { cursor: at(number), entries, last, ..Page::default() }))
    }

    fn change(number: u64) -> Down {
        down(down::Kind::Change(Change { cursor: at(number), ..Change::default() }))
    }

    fn beat(number: u64) -> Down {
        down(down::Kind::Heartbeat(Heartbeat { cursor: at(number), digest: vec![] }))
    }

    #[test]
    fn a_snapshot_replaces_only_after_its_last_page() {
        let mut intake = Intake::default();
        assert!(matches!(intake.take(welcome(false)), Ok(Step::Wait)));
        assert!(matches!(intake.take(page(5, "a", false)), Ok(Step::Wait)));
        assert_eq!(intake.cursor(), None);
        let Ok(Step::Replace { entries, number: 5, .. }) = intake.take(page(5, "b", true)) else { panic!() };
        assert_eq!(entries.len(), 2);
        assert_eq!(intake.cursor(), at(5));
    }

    #[test]
    fn pages_of_a_stream_that_broke_do_not_count_in_the_next() {
        let mut intake = Intake::default();
        intake.take(welcome(false)).unwrap();
        intake.take(page(5, "a", false)).unwrap();
        intake.restart();
        intake.take(welcome(false)).unwrap();
        let Ok(Step::Replace { entries, .. }) = intake.take(page(6, "b", true)) else { panic!() };
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn differences_move_the_cursor_and_it_does_not_go_back() {
        let mut intake = Intake::default();
        intake.take(welcome(true)).unwrap();
        assert!(matches!(intake.take(change(7)), Ok(Step::Apply { number: 7, .. })));
        assert!(matches!(intake.take(beat(9)), Ok(Step::Beat { number: 9, .. })));
        assert!(intake.take(change(8)).is_err());
    }

    #[test]
    fn what_the_rules_do_not_allow_ends_the_stream() {
        let mut intake = Intake::default();
        intake.take(welcome(true)).unwrap();
        assert!(intake.take(page(1, "a", true)).is_err(), "a page without a snapshot");
        intake.take(welcome(false)).unwrap();
        assert!(intake.take(change(2)).is_err(), "differences in the middle of a snapshot");
        intake.restart();
        intake.take(welcome(false)).unwrap();
        intake.take(page(3, "a", false)).unwrap();
        assert!(intake.take(page(4, "b", false)).is_err(), "two places");
    }

    #[test]
    fn messages_that_are_not_known_are_passed_over() {
        assert!(matches!(Intake::default().take(Down { kind: None }), Ok(Step::Wait)));
    }
}
