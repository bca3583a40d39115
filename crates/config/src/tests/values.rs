use proptest::prelude::*;

use super::{agent, agent_text, server, server_refuses, server_text};

#[test]
fn kinds_are_those_that_spire_takes() {
    let settings = server(&server_text("bind_port = \"0x1F\" jwt_issuer = 42", "")).unwrap();
    assert_eq!((settings.bind_port, settings.jwt_issuer.as_deref()), (31, Some("42")));
    for (keys, expected) in [
        ("bind_port = 1.5", "s.conf:4:13: bind_port must be a whole number, not a number"),
        ("bind_port = true", "s.conf:4:13: bind_port must be a whole number, not a boolean"),
        (
            "bind_port = 65536",
            "s.conf:4:13: bind_port \"65536\" cannot be used: a port is a number from 1 to 65535",
        ),
        ("jwt_issuer = true", "s.conf:4:14: jwt_issuer must be a string in double quotes, not a boolean"),
        ("jwt_issuer {}", "s.conf:4:12: jwt_issuer must be a string in double quotes, not a block"),
        ("jwt_issuer \"x\" {}", "s.conf:4:12: jwt_issuer must be a value, not a block"),
        (
            "disable_jwt_svids = 1",
            "s.conf:4:21: disable_jwt_svids must be true or false, without quotes, not a number",
        ),
        (
            "admin_ids = \"spiffe://a/b\"",
            "s.conf:4:13: admin_ids must be a list of strings, as in [\"a\", \"b\"], not a string",
        ),
        ("admin_ids = [true]", "s.conf:4:14: admin_ids must be a list of strings, not a boolean"),
        ("ca_subject = 1", "s.conf:4:14: ca_subject must be a block, as in `key { … }`, not a number"),
    ] {
        server_refuses(keys, expected);
    }
}

proptest! {
    #[test]
    fn loading_never_panics(text in "[a-z_{}\\[\\]\"=0-9 \n,.]{0,80}") {
        let _ = server(&text);
        let _ = agent(&text);
        let _ = server(&server_text(&text, ""));
        let _ = agent(&agent_text(&text, &text));
    }
}
