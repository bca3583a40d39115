//! Which metrics and labels the operator wants.

/// The operator's choice. Without prefixes everything is let through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names that begin so are let through, dots between their parts and with the prefix of the role.
    pub allowed_prefixes: Vec<String>,
    /// Names that begin so are not. The longest prefix that fits decides; of two alike, this one.
    pub blocked_prefixes: Vec<String>,
    /// The only labels let through, if any are named.
    pub allowed_labels: Vec<String>,
    /// Labels that are left out.
    pub blocked_labels: Vec<String>,
}

impl Filter {
    /// Whether a metric is let through.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        let longest = |prefixes: &[String]| {
            prefixes.iter().filter(|prefix| name.starts_with(prefix.as_str())).map(String::len).max()
        };
        match (longest(&self.allowed_prefixes), longest(&self.blocked_prefixes)) {
            (_, None) => true,
            (allowed, Some(blocked)) => allowed.is_some_and(|allowed| allowed > blocked),
        }
    }

    /// Whether a label is let through.
    #[must_use]
    pub fn admits_label(&self, name: &str) -> bool {
        let among = |labels: &[String]| labels.iter().any(|label| label == name);
        !among(&self.blocked_labels) && (self.allowed_labels.is_empty() || among(&self.allowed_labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_longest_prefix_decides() {
        let filter = Filter {
            allowed_prefixes: texts(&["spire_server.rpc"]),
            blocked_prefixes: texts(&["spire_server", "spire_server.rpc.health"]),
            ..Filter::default()
        };
        assert!(filter.admits("spire_server.rpc.agent"));
        assert!(!filter.admits("spire_server.rpc.health.check"));
        assert!(!filter.admits("spire_server.started"));
        assert!(filter.admits("other"));
        assert!(Filter::default().admits("anything"));
    }

    #[test]
    fn labels_are_let_through_by_name() {
        let filter = Filter {
            allowed_labels: texts(&["status", "host"]),
            blocked_labels: texts(&["host"]),
            ..Filter::default()
        };
        assert!(filter.admits_label("status"));
        assert!(!filter.admits_label("host"));
        assert!(!filter.admits_label("attestor"));
        assert!(Filter::default().admits_label("attestor"));
    }
}
