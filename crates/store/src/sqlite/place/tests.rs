use super::*;

fn file(text: &str) -> String {
    match parse(text).unwrap().0 {
        Place::File(path) => path.to_str().unwrap().to_owned(),
        Place::Memory => panic!("{text} is in memory"),
    }
}

#[test]
fn a_path_and_a_file_uri_name_the_same_file() {
    for text in [
        "/run/spire/data/datastore.sqlite3",
        "file:/run/spire/data/datastore.sqlite3",
        "file:///run/spire/data/datastore.sqlite3",
        "file://localhost/run/spire/data/datastore.sqlite3?_journal_mode=WAL&cache=shared",
        "/run/spire/data/datastore.sqlite3?_busy_timeout=10",
        "file:/run/spire/d%61ta/datastore.sqlite3",
    ] {
        assert_eq!(file(text), "/run/spire/data/datastore.sqlite3", "{text}");
    }
    assert_eq!(file("./data.db"), "./data.db");
    assert_eq!(file("file:data.db"), "data.db");
    assert_eq!(file("100%.db"), "100%.db");
    assert_eq!(file("odd:name/data.db".trim_start_matches("odd:")), "name/data.db");
}

#[test]
fn a_database_in_memory_is_told_by_name_or_mode() {
    for text in [":memory:", "file::memory:", "file::memory:?cache=shared", "file:x?mode=memory&cache=shared"]
    {
        assert_eq!(parse(text).unwrap().0, Place::Memory, "{text}");
    }
}

#[test]
fn the_busy_timeout_is_taken_over() {
    let (_, settings) = parse("data.db?_busy_timeout=2500").unwrap();
    assert_eq!(settings.busy_timeout, Some(Duration::from_millis(2500)));
}

#[test]
fn what_would_weaken_the_log_or_is_unknown_is_refused_with_the_reason() {
    for (text, why) in [
        ("data.db?mode=ro", "must be written"),
        ("data.db?_sync=OFF", "on the disk"),
        ("data.db?_journal_mode=DELETE", "WAL"),
        ("data.db?_fk=0", "always on"),
        ("data.db?_timeout=soon", "milliseconds"),
        ("data.db?colour=red", "not known"),
        ("mysql://data.db", "scheme"),
        ("file://elsewhere/data.db", "another host"),
        ("file:", "names no file"),
        ("", "names no file"),
    ] {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.contains(why), "{text}: {message}");
    }
}
