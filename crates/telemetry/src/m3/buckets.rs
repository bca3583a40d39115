//! The buckets of samples (SPIRE 1.16), and what tally calls them.

/// A bucket: up to where it reaches, and its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) upper: f64,
    pub(super) name: String,
}

/// Of times in milliseconds.
pub(super) fn durations() -> Vec<Bucket> {
    const MILLIS: [u32; 20] = [
        0, 10, 25, 50, 75, 100, 200, 300, 400, 500, 600, 800, 1000, 2000, 5000, 10_000, 15_000, 20_000,
        25_000, 30_000,
    ];
    let named = |millis: u32| match millis {
        0 => "0".to_owned(),
        whole if whole >= 1000 => format!("{}s", whole / 1000),
        part => format!("{part}ms"),
    };
    ranges(MILLIS.iter().map(|millis| (f64::from(*millis), named(*millis))))
}

/// Of numbers.
pub(super) fn values() -> Vec<Bucket> {
    const VALUES: [u32; 6] = [0, 1, 10, 100, 1000, 10_000];
    ranges(VALUES.iter().map(|value| (f64::from(*value), format!("{value}.000000"))))
}

fn ranges(bounds: impl Iterator<Item = (f64, String)>) -> Vec<Bucket> {
    let mut before = "-infinity".to_owned();
    let mut buckets = Vec::new();
    for (upper, name) in bounds.chain([(f64::INFINITY, "infinity".to_owned())]) {
        buckets.push(Bucket { upper, name: format!("{before}-{name}") });
        before = name;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_as_tally_names_them() {
        let durations = durations();
        let names: Vec<&str> = durations.iter().map(|bucket| bucket.name.as_str()).collect();
        assert_eq!(names[..3], ["-infinity-0", "0-10ms", "10ms-25ms"]);
        assert_eq!(names[12..14], ["800ms-1s", "1s-2s"]);
        assert_eq!(names[20], "30s-infinity");
        let values = values();
        assert_eq!(values[1].name, "0.000000-1.000000");
        assert_eq!(values.len(), 7);
    }
}
