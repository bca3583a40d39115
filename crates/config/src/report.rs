//! What came of reading a file: every mistake and every warning, each with its place.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use kit::hcl::Position;

use super::problem::{Notice, Problem};

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    At {
        /// The file's name.
        file: Arc<str>,
        /// The line and column.
        at: Position,
    },
    /// Nowhere in particular: something is missing from the file.
    Missing {
        /// The file's name.
        file: Arc<str>,
    },
    /// On the command line.
    Flag(&'static str),
}

impl Place {
    fn order(&self) -> (u8, Position) {
        match self {
            Self::Flag(_) => (0, Position::START),
            Self::At { at, .. } => (1, *at),
            Self::Missing { .. } => (2, Position::START),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { file, at } => write!(f, "{file}:{at}"),
            Self::Missing { file } => f.write_str(file),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Something that must be put right before the program can run.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub problem: Problem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Something that is worth a look, yet does not stop the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What.
    pub notice: Notice,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.notice)
    }
}

/// A configuration that cannot be used: all its mistakes, in the order they stand, and its warnings.
#[derive(Clone, Debug)]
pub struct Report {
    mistakes: Vec<Mistake>,
    warnings: Vec<Warning>,
}

impl Report {
    /// The mistakes; at least one.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The warnings.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))?;
        // A key that is missing may stand there under another name.
        let slips =
            self.warnings.iter().filter(|warning| matches!(warning.notice, Notice::UnknownIgnored { .. }));
        slips.into_iter().try_for_each(|slip| write!(f, "\n  {slip}"))
    }
}

impl std::error::Error for Report {}

/// Collects while a file is read, so that reading goes on after the first mistake.
#[derive(Default)]
pub(crate) struct Ledger {
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Warning>>,
}

impl Ledger {
    pub(crate) fn mistake(&self, place: Place, problem: Problem) {
        self.mistakes.borrow_mut().push(Mistake { place, problem });
    }

    pub(crate) fn warn(&self, place: Place, notice: Notice) {
        self.warnings.borrow_mut().push(Warning { place, notice });
    }

    /// What was built, with the warnings, if nothing was wrong.
    pub(crate) fn settle<T>(self, built: Option<T>) -> Result<(T, Vec<Warning>), Report> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.place.order());
        let mut warnings = self.warnings.into_inner();
        warnings.sort_by_key(|warning| warning.place.order());
        match built {
            Some(built) if mistakes.is_empty() => Ok((built, warnings)),
            _ => Err(Report { mistakes, warnings }),
        }
    }
}
