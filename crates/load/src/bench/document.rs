//! The report as a page: what was seen beside what was aimed at, and how to see it again.

use std::fmt::Write as _;

use super::{AGENT_IDLE, SERVER_IDLE, full, machine};
use crate::report::{Figure, Report, Unit};
use crate::{agent, credentials, crypto, server};

/// Which side of the aim is good.
#[derive(Clone, Copy)]
enum Good {
    Above,
    Below,
}

/// A figure with what is wanted of it, and what SPIRE 1.16 does on a machine of the same type.
struct Aim {
    what: &'static str,
    measured: String,
    figure: &'static str,
    aim: Figure,
    good: Good,
    spire: &'static str,
}

impl Aim {
    fn met(&self, seen: &Figure) -> bool {
        match self.good {
            Good::Above => seen.value >= self.aim.value,
            Good::Below => seen.value < self.aim.value,
        }
    }
}

/// What is known of where the time or the memory goes, for those that may be missed.
const REASONS: &[(&str, &str)] = &[
    (
        STREAM_MEMORY,
        "The HTTP/2 library gives each connection 28 kB at once (16 kB to write, 8 kB to read, 4 kB for header tables), \
         whatever is sent, and has no setting for it; what is never touched of it is not resident. About 10 kB more are \
         its tables of streams, the task, and what the agent keeps.",
    ),
    (
        FIRST_ANSWER,
        "The load generator opens its connections on the same processors. The column \"CPU each\" below is what the \
         agent itself works for a stream, so with 50 at a time the last of them waits for 50 times that at the least, \
         and for the generator's own work.",
    ),
    (
        ONE_A_CALL,
        "The next table shows what a call costs beside its cryptography. Of the server's time about two thirds are in its \
         signing threads, most of it cryptography; the rest is HTTP/2, TLS records and decoding, with a sixth of all in \
         the kernel: sockets, and waking one thread from another.",
    ),
];

const STREAM_MEMORY: &str = "agent memory for each stream";
const FIRST_ANSWER: &str = "first answer at 1,000 streams, p99";
const ONE_A_CALL: &str = "X.509-SVIDs per second of server CPU, one a call";

/// Why, for each aim that was missed.
fn misses(report: &Report, entries: u64) -> String {
    let missed = |aim: &Aim| report.find(&aim.measured, aim.figure).is_some_and(|seen| !aim.met(seen));
    let reason = |what: &str| REASONS.iter().find(|(of, _)| *of == what).map(|(_, why)| *why);
    let line = |aim: Aim| {
        let why = reason(aim.what).unwrap_or("This run does not show why.");
        format!("- Missed: {}. {why}\n", aim.what)
    };
    let lines: String = aims(entries).into_iter().filter(missed).map(line).collect();
    if lines.is_empty() { lines } else { format!("{lines}\n") }
}

fn aims(entries: u64) -> Vec<Aim> {
    let number = |value| Figure::new("", value, Unit::Number);
    let rate = |value| Figure::new("", value, Unit::PerSecond);
    let millis = |value| Figure::new("", value, Unit::Millis);
    let bytes = |value| Figure::new("", value, Unit::Bytes);
    let row = |what, measured: &str, figure, aim, good, spire| Aim {
        what,
        measured: measured.to_owned(),
        figure,
        aim,
        good,
        spire,
    };
    let (each, at) = ("per CPU second", agent::streams_name(1000));
    vec![
        row(ONE_A_CALL, server::ONE_A_CALL, each, number(8600.0), Good::Above, "1,720"),
        row(
            "X.509-SVIDs per second of server CPU, a hundred a call",
            server::MANY_A_CALL,
            each,
            number(3560.0),
            Good::Above,
            "3,560",
        ),
        row("JWT-SVIDs per second of server CPU", server::JWT, each, number(2370.0), Good::Above, "2,370"),
        row("entries written, fifty a call", server::ENTRIES, "rate", rate(5000.0), Good::Above, "1,100/s"),
        row(
            "entry to stream, p99",
            agent::ENTRY_TO_STREAM,
            "p99",
            millis(100.0),
            Good::Below,
            "3.3 to 5.5 s",
        ),
        row(FIRST_ANSWER, &at, "p99", millis(15.0), Good::Below, "57 ms"),
        row(STREAM_MEMORY, &at, "memory each", bytes(10e3), Good::Below, "52 kB"),
        row("agent memory, idle", AGENT_IDLE, "resident", bytes(20e6), Good::Below, "58 MB"),
        row("server memory, idle", SERVER_IDLE, "resident", bytes(30e6), Good::Below, "130 to 150 MB"),
        row(
            "server memory with 100,000 entries",
            &full(entries),
            "resident",
            bytes(150e6),
            Good::Below,
            "340 MB",
        ),
        row(
            "server start with 100,000 entries",
            &full(entries),
            "start-up",
            millis(2000.0),
            Good::Below,
            "3 s",
        ),
    ]
}

/// Less than this of the processors does not disturb.
const QUIET: f64 = 0.1;

/// The page; `crate_alone` is what was measured of the credentials crate.
pub(super) fn text(report: &Report, crate_alone: &Report, entries: u64, others: f64) -> String {
    let others = match others > QUIET {
        true => format!(
            " **Before it began, other programs kept {:.0} % of the processors busy, so times and rates are worse than the \
             program deserves.**",
            others * 100.0
        ),
        false => String::new(),
    };
    let mut text = format!(
        "# Benchmarks\n\nWritten by `make bench`; change the program, not this page. A run starts a server and an \
         agent of the release build in\na folder of their own and loads them over their public wire, on one machine: \
         {}. The load generator runs on the\nsame processors, so rates are also given per second of the server's own \
         processor time, which it does not disturb.\nSPIRE's figures are those of SPIRE 1.16 on the same machine \
         type.{others}\n\n## Against the aims\n\n| what | seen | aim | SPIRE 1.16 | |\n|---|---:|---:|---:|---|\n",
        machine::name()
    );
    for aim in aims(entries) {
        let Some(seen) = report.find(&aim.measured, aim.figure) else { continue };
        let sign = match aim.good {
            Good::Above => "at least",
            Good::Below => "under",
        };
        let (met, wanted) = (if aim.met(seen) { "met" } else { "**missed**" }, aim.aim.text());
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "| {} | {} | {sign} {wanted} | {} | {met} |", aim.what, seen.text(), aim.spire);
    }
    let _ = write!(
        text,
        "\n{}{}\n{}## All measurements\n\n{}",
        misses(report, entries),
        limit(report),
        credentials::section(crate_alone),
        report.markdown()
    );
    text.push_str(COMMANDS);
    text
}

/// How near the path of a signature comes to its cryptography.
fn limit(report: &Report) -> String {
    let share = |measured, bound| {
        let seen = report.find(measured, "per CPU second")?.value;
        let most = report.find(bound, "per CPU second")?.value;
        Some((seen, most, 100.0 * seen / most))
    };
    let rows = [
        ("One X.509-SVID a call", server::ONE_A_CALL, crypto::X509),
        ("A hundred a call", server::MANY_A_CALL, crypto::X509),
        ("JWT-SVIDs", server::JWT, crypto::JWT),
    ];
    let mut text = "## Beside the bare cryptography\n\nOne check of a request's signature and one signature bound \
                    every server; they are measured on one\nthread in the same run. All are per second of processor \
                    time.\n\n| what | seen | bound | share | \
                    beside the cryptography, each |\n|---|---:|---:|---:|---:|\n"
        .to_owned();
    for (what, measured, bound) in rows {
        if let Some((seen, most, percent)) = share(measured, bound) {
            let rest = Figure::new("", 1000.0 / seen - 1000.0 / most, Unit::Millis).text();
            let (seen, most) =
                (Figure::new("", seen, Unit::Number).text(), Figure::new("", most, Unit::Number).text());
            let _ = writeln!(text, "| {what} | {seen} | {most} | {percent:.0} % | {rest} |");
        }
    }
    text
}

const COMMANDS: &str = "
## The commands

```console
make bench                                             # all of it, and this page
bonafide load crypto                                   # the bound alone
bonafide load credentials -write docs/benchmarks.md    # the credentials crate, and its section of this page
bonafide load polls -pid PID -socketPath ADMIN.sock -serverAddress 127.0.0.1:8081
bonafide load server -pid PID -socketPath ADMIN.sock -serverAddress 127.0.0.1:8081
bonafide load agent -pid PID -socketPath WORKLOAD.sock -serverSocketPath ADMIN.sock -svids 1000 -svids 10000
```

They work with SPIRE's server and agent too. For rates of signing, the server's `ratelimit { signing = false }` must lift
its limit of 500 a second for each address; for 10,000 SVIDs, the agent's `x509_svid_cache_max_size` must allow them.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Measured;

    #[test]
    fn a_miss_is_called_a_miss() {
        let slow = Figure::new("p99", 120.0, Unit::Millis);
        let fast = Figure::new("p99", 9.0, Unit::Millis);
        let row = |what: &str, figure| Measured { what: what.to_owned(), figures: vec![figure] };
        let report = Report(vec![row(agent::ENTRY_TO_STREAM, slow), row(&agent::streams_name(1000), fast)]);
        let page = text(&report, &Report::default(), 100_000, 0.0);
        assert!(
            page.contains("| entry to stream, p99 | 120 ms | under 100 ms | 3.3 to 5.5 s | **missed** |"),
            "{page}"
        );
        assert!(
            page.contains("| first answer at 1,000 streams, p99 | 9.00 ms | under 15.00 ms | 57 ms | met |"),
            "{page}"
        );
    }
}
