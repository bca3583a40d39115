//! The machine that a run is on.

use std::fs;
use std::time::Duration;

/// What the figures were seen on.
pub(super) fn name() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?.to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let model =
        field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "an unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    // Its version says enough; the rest names whose build it is.
    let version = kernel.trim().split('-').next().unwrap_or_default();
    format!("{cores} processors ({model}), Linux {version}")
}

/// The part of the processors that is busy, seen over two seconds; 0 where the system does not say.
pub(super) async fn busy() -> f64 {
    let before = ticks(&read_stat());
    tokio::time::sleep(Duration::from_secs(2)).await;
    match (before, ticks(&read_stat())) {
        (Some((busy, all)), Some((busy_now, all_now))) if all_now > all => {
            busy_now.saturating_sub(busy) as f64 / (all_now - all) as f64
        }
        _ => 0.0,
    }
}

fn read_stat() -> String {
    fs::read_to_string("/proc/stat").unwrap_or_default()
}

/// Ticks of all processors since the start, those of work and all. The fourth and fifth are idle.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let (all, idle) = (fields.iter().sum::<u64>(), fields.get(3)? + fields.get(4)?);
    Some((all - idle, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_ticks_are_no_work() {
        assert_eq!(ticks("cpu  10 1 5 80 4 0 0 0 0 0\ncpu0 1 1 1 1\n"), Some((16, 100)));
        assert_eq!(ticks(""), None);
    }
}
