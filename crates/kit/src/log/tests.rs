use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use tracing::{debug, error, info, info_span, trace, warn};

use super::record::{Fields, Record, Value};
use super::text::Text;
use super::*;

fn record(level: Level, message: &str, fields: &[(&str, Value)]) -> Record {
    let mut all = Fields::default();
    all.set("message", text(message));
    for (name, value) in fields {
        all.set(name, value.clone());
    }
    Record { time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250), level, fields: all }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// What `body` logs with these options.
fn logged(level: Level, format: Format, body: impl FnOnce(&Control)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let options = Options { level, format, source_location: false, output: Output::File(path.clone()) };
    let (layer, control) = layer(options).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || body(&control));
    let written = fs::read_to_string(path).unwrap();
    written
        .lines()
        .map(|line| line.split_once(" level=").map_or(line.to_owned(), |(_, rest)| format!("level={rest}")))
        .collect()
}

#[test]
fn a_text_line_is_logrus_own() {
    let line = record(
        Level::Warn,
        "Plugin loaded",
        &[
            ("plugin_type", text("KeyManager")),
            ("external", Value::Bool(false)),
            ("address", text("127.0.0.1:8081")),
            ("empty", text("")),
            ("count", Value::Signed(-3)),
            ("path", text("/tmp/a_b-c.d@e^f+g")),
            ("quoted", text("a \"b\"\n\u{1}\u{e9}\u{200b}\u{a0}\u{1F600}")),
            ("level", text("clash")),
        ],
    );
    assert_eq!(
        Text { fraction: false, colour_since: None }.print(&line),
        "time=\"2023-11-14T22:13:20Z\" level=warning msg=\"Plugin loaded\" address=\"127.0.0.1:8081\" count=-3 \
         empty= external=false fields.level=clash path=/tmp/a_b-c.d@e^f+g plugin_type=KeyManager \
         quoted=\"a \\\"b\\\"\\n\\x01\u{e9}\\u200b\\u00a0\u{1F600}\""
    );
    assert!(
        Text { fraction: true, colour_since: None }
            .print(&record(Level::Info, "", &[]))
            .starts_with("time=\"2023-11-14T22:13:20.25Z\" level=info")
    );
}

#[test]
fn a_terminal_gets_colour_and_seconds() {
    let line = record(Level::Info, "Starting", &[("a", text("b c"))]);
    let since = line.time - Duration::from_secs(12);
    assert_eq!(
        Text { fraction: false, colour_since: Some(since) }.print(&line),
        format!("\x1b[36mINFO\x1b[0m[0012] {:<44}  \x1b[36ma\x1b[0m=\"b c\"", "Starting")
    );
}

#[test]
fn a_json_line_is_sorted_and_typed() {
    let line = record(
        Level::Error,
        "a <b> & c",
        &[("z", Value::Unsigned(7)), ("alert", Value::Bool(true)), ("msg", text("clash"))],
    );
    assert_eq!(
        json::print(&line),
        "{\"alert\":true,\"fields.msg\":\"clash\",\"level\":\"error\",\"msg\":\"a \\u003cb\\u003e \\u0026 c\",\
         \"time\":\"2023-11-14T22:13:20.25Z\",\"z\":7}"
    );
}

#[test]
fn events_carry_the_fields_of_their_spans() {
    let lines = logged(Level::Info, Format::Default, |_| {
        let outer = info_span!("call", request_id = "1", method = "outer").entered();
        let inner = info_span!("inner", method = "inner", late = tracing::field::Empty).entered();
        inner.record("late", 5);
        info!(r#type = "audit", list = %list(["a", "b"]), request_id = 2, "Said");
        drop(inner);
        warn!("Left");
        drop(outer);
        error!(error = &LogError::AlreadySet as &(dyn std::error::Error + 'static), "Failed");
    });
    assert_eq!(
        lines,
        [
            "level=info msg=Said late=5 list=\"[a b]\" method=inner request_id=2 type=audit",
            "level=warning msg=Left method=outer request_id=1",
            "level=error msg=Failed error=\"logging was already set up in this process\"",
        ]
    );
}

#[test]
fn the_level_changes_at_run_time() {
    let lines = logged(Level::Warn, Format::Default, |control| {
        let say = || {
            let _span = info_span!("s", in_span = true).entered();
            error!("e");
            warn!("w");
            info!("i");
            debug!("d");
            debug!(target: "h2::codec", "library");
        };
        say();
        control.set_level(Level::Debug);
        assert_eq!((control.level(), control.launch_level()), (Level::Debug, Level::Warn));
        say();
        control.set_level(Level::Fatal);
        say();
        control.set_level(Level::Trace);
        trace!(target: "h2::codec", "library");
        control.reset_level();
        say();
    });
    let messages: Vec<_> = lines.iter().filter_map(|line| line.split("msg=").nth(1)).collect();
    assert_eq!(
        messages,
        [
            "e in_span=true",
            "w in_span=true",
            "e in_span=true",
            "w in_span=true",
            "i in_span=true",
            "d in_span=true",
            "library",
            "e in_span=true",
            "w in_span=true",
        ]
    );
}

#[test]
fn a_file_is_appended_to_and_opened_anew_after_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "old\n").unwrap();
    let options = Options { output: Output::File(path.clone()), source_location: true, ..Options::default() };
    let (layer, control) = layer(options).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!("one");
        fs::rename(&path, folder.path().join("log.1")).unwrap();
        info!("two");
        control.reopen().unwrap();
        info!("three");
    });
    let old = fs::read_to_string(folder.path().join("log.1")).unwrap();
    assert!(old.starts_with("old\n") && old.contains("msg=one file=\"tests.rs:") && old.contains("msg=two"));
    let new = fs::read_to_string(&path).unwrap();
    assert!(new.contains("msg=three") && new.ends_with("func=\"kit::log::tests\"\n"), "{new}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o737, 0o600);
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let options = Options { output: Output::File("/nonexistent/log".into()), ..Options::default() };
    let Err(error) = layer::<tracing_subscriber::Registry>(options) else { panic!("opened") };
    assert!(error.to_string().starts_with("cannot open log file /nonexistent/log;"));
}

#[test]
fn names_are_read_in_any_case() {
    assert_eq!(Level::parse("WARN"), Ok(Level::Warn));
    assert_eq!(Level::parse("Warning"), Ok(Level::Warn));
    for level in Level::ALL {
        assert_eq!(Level::parse(&level.to_string().to_uppercase()), Ok(level));
        assert_eq!(Level::from_number(level as u8), level);
    }
    assert!(Level::parse("loud").unwrap_err().to_string().contains("\"loud\" is unknown; use panic,"));
    assert_eq!(Format::parse(""), Ok(Format::Default));
    assert_eq!(Format::parse("TEXT"), Ok(Format::Text));
    assert_eq!(Format::parse("Json"), Ok(Format::Json));
    assert!(Format::parse("xml").is_err());
}

#[test]
fn a_moment_is_printed_as_go_prints_it() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
    assert_eq!(moment(time).to_string(), "2023-11-14 22:13:20.25 +0000 UTC");
    assert_eq!(moment(SystemTime::UNIX_EPOCH).to_string(), "1970-01-01 00:00:00 +0000 UTC");
}

#[test]
fn fields_that_another_program_names_stand_beside_ours() {
    let lines = logged(Level::Info, Format::Default, |_| {
        info!(plugin_name = "x", log.more = r#"{"n":3,"who":"me","level":"odd"}"#, "Hello");
        info!(log.more = "no JSON", "Hello");
    });
    assert_eq!(
        lines,
        [
            "level=info msg=Hello fields.level=odd n=3 plugin_name=x who=me",
            "level=info msg=Hello log.more=\"no JSON\""
        ]
    );
}
