//! The numbered checks of the standards: 379 ids in twelve topics.

/// A document of the standards: its checks have its prefix, their files stand in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// The prefix of its ids.
    pub prefix: &'static str,
    /// The folder of its files.
    pub folder: &'static str,
    /// How many checks it has.
    pub count: usize,
}

const fn topic(prefix: &'static str, folder: &'static str, count: usize) -> Topic {
    Topic { prefix, folder, count }
}

/// All of them, in the order of the documents.
pub const TOPICS: [Topic; 12] = [
    topic("ID", "id", 30),
    topic("X509", "x509", 40),
    topic("JWT", "jwt", 28),
    topic("WIT", "wit", 38),
    topic("WIMSE", "wimse", 16),
    topic("WAPI", "workload-api", 57),
    topic("WEP", "endpoint", 22),
    topic("BND", "bundle", 26),
    topic("FED", "federation", 44),
    topic("BRK", "broker-api", 57),
    topic("BEP", "broker-endpoint", 17),
    topic("STAB", "stability", 4),
];

impl Topic {
    /// The topic of a check.
    pub fn of(check: &str) -> Option<&'static Self> {
        let (prefix, number) = check.rsplit_once('-')?;
        let topic = TOPICS.iter().find(|topic| topic.prefix == prefix)?;
        let number: usize = number.parse().ok()?;
        (number >= 1 && number <= topic.count && check == topic.id(number)).then_some(topic)
    }

    /// The id of its check `number`.
    pub fn id(&self, number: usize) -> String {
        format!("{}-{number:02}", self.prefix)
    }

    /// All its ids.
    pub fn ids(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.count).map(|number| self.id(number))
    }
}
