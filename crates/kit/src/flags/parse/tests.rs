use std::time::Duration;

use super::*;

const COMMON: &[Flag] = &[Flag::text("socketPath", "The socket").or("/tmp/s.sock")];
const OWN: &[Flag] = &[
    Flag::switch("admin", "Admin"),
    Flag::integer("ttl", "Seconds").or("600"),
    Flag::duration("timeout", "How long").or("5s"),
    Flag::list("selector", "A selector"),
    Flag::choice("output", &["pretty", "json"], "The form"),
];
const ALL: &[&[Flag]] = &[COMMON, OWN];

fn read_all(arguments: &[&str]) -> Result<Values, FlagError> {
    parse(ALL, &arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
}

fn complaint(arguments: &[&str]) -> String {
    read_all(arguments).expect_err("the arguments are wrong").to_string()
}

#[test]
fn absent_flags_have_their_defaults() {
    let values = read_all(&[]).unwrap();
    assert_eq!(values.text("socketPath"), "/tmp/s.sock");
    assert!(!values.switch("admin"));
    assert_eq!(values.integer("ttl"), 600);
    assert_eq!(values.duration("timeout"), Duration::from_secs(5));
    assert!(values.list("selector").is_empty());
    assert_eq!(values.text("output"), "pretty");
    assert!(!values.given("ttl"));
}

#[test]
fn a_value_follows_the_name_or_an_equals_sign_after_one_or_two_hyphens() {
    for arguments in [&["-ttl", "5"][..], &["-ttl=5"], &["--ttl", "5"], &["--ttl=5"]] {
        let values = read_all(arguments).unwrap();
        assert_eq!(values.integer("ttl"), 5);
        assert!(values.given("ttl"));
    }
    assert_eq!(read_all(&["-socketPath=a=b"]).unwrap().text("socketPath"), "a=b");
}

#[test]
fn a_switch_takes_its_value_only_after_an_equals_sign() {
    assert!(read_all(&["-admin"]).unwrap().switch("admin"));
    assert!(!read_all(&["-admin=false"]).unwrap().switch("admin"));
    assert!(read_all(&["-admin=T"]).unwrap().switch("admin"));
    let values = read_all(&["-admin", "false", "-ttl", "1"]).unwrap();
    assert!(values.switch("admin"));
    assert_eq!(values.rest(), ["false", "-ttl", "1"]);
    assert_eq!(
        complaint(&["-admin=maybe"]),
        "invalid boolean value \"maybe\" for -admin: write true or false"
    );
}

#[test]
fn a_list_keeps_all_and_others_keep_the_last() {
    let values = read_all(&["-selector", "a:b", "-selector=c:d", "-ttl", "1", "-ttl", "2"]).unwrap();
    assert_eq!(values.list("selector"), ["a:b", "c:d"]);
    assert_eq!(values.integer("ttl"), 2);
}

#[test]
fn flags_end_at_two_hyphens_and_at_the_first_word() {
    assert_eq!(read_all(&["--", "-admin"]).unwrap().rest(), ["-admin"]);
    assert_eq!(read_all(&["-", "-admin"]).unwrap().rest(), ["-", "-admin"]);
    assert!(!read_all(&["word", "-admin"]).unwrap().switch("admin"));
}

#[test]
fn a_value_may_begin_with_a_hyphen() {
    assert_eq!(read_all(&["-ttl", "-1"]).unwrap().integer("ttl"), -1);
    assert_eq!(read_all(&["-socketPath", "-admin"]).unwrap().text("socketPath"), "-admin");
}

#[test]
fn integers_are_read_as_in_go() {
    for (text, number) in
        [("0x10", 16), ("1_000", 1000), ("0b11", 3), ("010", 8), ("+7", 7), ("0", 0), ("-0x1", -1)]
    {
        assert_eq!(read_all(&["-ttl", text]).unwrap().integer("ttl"), number, "{text}");
    }
    assert_eq!(complaint(&["-ttl", "abc"]), "invalid value \"abc\" for flag -ttl: not a whole number");
    assert_eq!(
        complaint(&["-ttl", "99999999999999999999"]),
        "invalid value \"99999999999999999999\" for flag -ttl: the number is too large"
    );
    for text in ["", "-", "+-1", "0x", "1e3", "09"] {
        assert!(read_all(&["-ttl", text]).is_err(), "{text}");
    }
}

#[test]
fn a_choice_ignores_case_and_takes_empty_for_the_default() {
    assert_eq!(read_all(&["-output", "JSON"]).unwrap().text("output"), "json");
    assert_eq!(read_all(&["-output="]).unwrap().text("output"), "pretty");
    assert_eq!(
        complaint(&["-output", "yaml"]),
        "invalid value \"yaml\" for flag -output: must be one of pretty, json"
    );
}

#[test]
fn help_is_not_a_mistake() {
    for argument in ["-h", "-help", "--help", "--h"] {
        assert_eq!(read_all(&[argument]), Err(FlagError::Help));
    }
}

#[test]
fn mistakes_are_named() {
    assert_eq!(complaint(&["-bogus"]), "flag provided but not defined: -bogus");
    assert_eq!(
        complaint(&["-socketpath=x"]),
        "flag provided but not defined: -socketpath (did you mean -socketPath?)"
    );
    assert_eq!(
        complaint(&["-selectors", "a"]),
        "flag provided but not defined: -selectors (did you mean -selector?)"
    );
    assert_eq!(complaint(&["-selector"]), "flag needs an argument: -selector");
    assert_eq!(complaint(&["-=x"]), "bad flag syntax: -=x");
    assert_eq!(complaint(&["---ttl"]), "bad flag syntax: ---ttl");
    assert!(
        complaint(&["-timeout", "5"])
            .starts_with("invalid value \"5\" for flag -timeout: the unit is missing")
    );
}
