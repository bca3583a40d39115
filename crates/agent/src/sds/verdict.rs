//! Whether what is asked for is answered now.

use std::time::Duration;

use tonic::Status;

use super::asked::listed;
use super::choice::Choice;
use super::select::Refusal;
use crate::cache::Update;

/// How long the first answer waits for the rest of the identities when some are there.
pub(super) const REST: Duration = Duration::from_secs(5);
/// How long an answer waits for an identity that it cannot do without.
const ANY: Duration = Duration::from_secs(30);

/// Whether what is asked for is answered now.
#[derive(Debug)]
pub(super) enum Verdict {
    Send(Vec<Choice>),
    /// Not yet, but at the latest after this long.
    Wait(Duration),
    Refuse(Status),
}

/// How long an answer may still be put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Nothing was answered yet: the first answer is to be whole.
    First,
    /// It was: what is known goes out.
    Later,
    /// The time is over.
    Over,
}

/// Judges a selection from `update`; `everything` where no names were given.
pub(super) fn judge(
    selected: Result<Vec<Choice>, Refusal>,
    update: &Update,
    everything: bool,
    patience: Patience,
) -> Verdict {
    match selected {
        Ok(chosen) => {
            let partial = update.waiting && (everything || chosen.iter().any(Choice::is_key));
            match partial && patience == Patience::First {
                true => Verdict::Wait(REST),
                false => Verdict::Send(chosen),
            }
        }
        Err(Refusal::NotEntitled(_)) if update.waiting && patience != Patience::Over => Verdict::Wait(ANY),
        Err(Refusal::NotEntitled(names)) if update.matching > update.identities.len() => {
            let names = listed(&names);
            Verdict::Refuse(Status::unavailable(match update.waiting {
                true => format!(
                    "the server has not issued an SVID yet that may be one of {names}; it may be out of reach"
                ),
                false => format!(
                    "the server refuses to issue an SVID that may be one of {names}; the agent's log says why"
                ),
            }))
        }
        Err(refusal) => Verdict::Refuse(Status::from(&refusal)),
    }
}
