//! The lines that the two programs print.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use spiffe::x509::{VerifiedSvid, X509Svid};

/// Begins the line of a new identity.
const MARK: &str = "***";
/// Begins the line of what went wrong.
const ALARM: &str = "!!!";
const GREEN: &str = "\x1b[1;32m";
const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

/// Begins the first line of a greeter: the address follows.
pub(super) const LISTENING: &str = "listening ";

/// Where a greeter listens.
pub(super) fn listening(address: SocketAddr) {
    line(&format!("{LISTENING}{address}"));
}

/// A greeting that was answered.
pub(super) fn greeting(now: SystemTime, own: &X509Svid, peer: &VerifiedSvid, answer: &str) {
    line(&format!(
        "{} {} (until {}) -> {} (until {}): {answer:?}",
        Hour(now),
        own.id(),
        Hour(own.leaf().not_after()),
        peer.id(),
        Hour(peer.expires_at()),
    ));
}

/// The first identity.
pub(super) fn first(now: SystemTime, svid: &X509Svid) {
    let end = Hour(svid.leaf().not_after());
    line(&format!("{MARK} {} {} begins: serial {}, until {end}", Hour(now), svid.id(), serial(svid)));
}

/// An identity that replaces another.
pub(super) fn rotated(now: SystemTime, old: &X509Svid, new: &X509Svid) {
    let end = Hour(new.leaf().not_after());
    line(&format!(
        "{MARK} {} {} rotates: serial {} -> {}, now until {end}",
        Hour(now),
        new.id(),
        serial(old),
        serial(new)
    ));
}

/// What went wrong, and goes on.
pub(super) fn trouble(now: SystemTime, what: &str) {
    line(&format!("{ALARM} {} {what}", Hour(now)));
}

/// A line with its colour, if the standard output is a terminal.
pub(super) fn paint(text: &str) -> String {
    let colour = match text {
        text if text.starts_with(MARK) => GREEN,
        text if text.starts_with(ALARM) => RED,
        text => return text.to_owned(),
    };
    match std::io::stdout().is_terminal() {
        true => format!("{colour}{text}{PLAIN}"),
        false => text.to_owned(),
    }
}

/// Whoever reads may be gone; then nobody misses the line.
fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", paint(text)).and_then(|()| out.flush());
}

/// Serials are long; the end tells them apart.
fn serial(svid: &X509Svid) -> String {
    let all = svid.leaf().serial_decimal();
    match all.len().checked_sub(8).and_then(|at| all.get(at..)) {
        Some(end) => format!("..{end}"),
        None => all,
    }
}

/// A time of the day, in UTC.
struct Hour(SystemTime);

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % 86_400;
        write!(f, "{:02}:{:02}:{:02}Z", day / 3600, day / 60 % 60, day % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_of_the_day() {
        let at = UNIX_EPOCH + Duration::from_secs(86_400 + 3 * 3600 + 4 * 60 + 5);
        assert_eq!(Hour(at).to_string(), "03:04:05Z");
    }
}
