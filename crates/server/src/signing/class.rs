/// How urgent a signature is. What is more urgent is always signed first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Class {
    /// A workload, an agent or an operator waits for it and has nothing to use meanwhile.
    Waiting,
    /// What is in use ends soon.
    Expiring,
    /// A renewal in good time.
    Renewal,
    /// Nobody has asked yet.
    Prefetch,
}

impl Class {
    /// All, the most urgent first.
    pub const ALL: [Class; 4] = [Class::Waiting, Class::Expiring, Class::Renewal, Class::Prefetch];

    /// The request metadata by which an agent says how urgent its request is.
    pub const METADATA: &'static str = "bonafide-signing-class";

    /// Its name in metadata, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Waiting => "waiting",
            Class::Expiring => "expiring",
            Class::Renewal => "renewal",
            Class::Prefetch => "prefetch",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    /// Its place among [`Class::ALL`].
    pub(super) const fn rank(self) -> usize {
        match self {
            Class::Waiting => 0,
            Class::Expiring => 1,
            Class::Renewal => 2,
            Class::Prefetch => 3,
        }
    }

    /// How full a queue of `bound` may be, with everything of any class, for one more of this class to be let in: the
    /// last places are kept for the urgent.
    pub(super) const fn room(self, bound: usize) -> usize {
        match self {
            Class::Waiting => bound,
            Class::Expiring => bound - bound / 8,
            Class::Renewal => bound - bound / 4,
            Class::Prefetch => bound / 2,
        }
    }
}
