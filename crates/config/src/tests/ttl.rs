use std::time::Duration;

use super::{lines, server, server_refuses, server_text};

#[test]
fn an_svid_that_would_outlive_its_authority_is_refused_with_the_arithmetic() {
    server_refuses(
        "default_x509_svid_ttl = \"25h\"",
        "s.conf:4:25: default_x509_svid_ttl 25h is longer than ca_ttl 24h: an SVID ends with the authority that signs \
         it at the latest; set default_x509_svid_ttl to 4h or less, or ca_ttl to 6 * 25h = 150h or more",
    );
    server_refuses(
        "agent_ttl = \"200h\"",
        "s.conf:4:13: agent_ttl 200h is longer than ca_ttl 24h: an SVID ends with the authority that signs it at the \
         latest; set agent_ttl to 168h or less and ca_ttl to 6 * 168h = 1008h or more",
    );
}

#[test]
fn an_svid_that_rotation_may_cut_short_is_warned_of_with_the_arithmetic() {
    let warned = |keys: &str| lines(&server(&server_text(keys, "")).unwrap().warnings);
    // The lifetimes of SPIRE's own sample.
    assert_eq!(
        warned("ca_ttl = \"168h\"\ndefault_x509_svid_ttl = \"48h\""),
        "s.conf:5:25: default_x509_svid_ttl 48h is more than an authority of ca_ttl 168h is sure to honour: its \
         successor takes over when a sixth of its life is left, at most 168h, and an SVID that it signs until then \
         may live for no more than min(168h / 6, 168h) = 28h; set default_x509_svid_ttl to 28h or less, or ca_ttl \
         to 6 * 48h = 288h or more\n"
    );
    assert_eq!(
        warned("ca_ttl = \"2000h\" default_jwt_svid_ttl = \"200h\""),
        "s.conf:4:41: default_jwt_svid_ttl 200h is more than an authority of ca_ttl 2000h is sure to honour: its \
         successor takes over when a sixth of its life is left, at most 168h, and an SVID that it signs until then \
         may live for no more than min(2000h / 6, 168h) = 168h; set default_jwt_svid_ttl to 168h or less\n"
    );
    let equal = warned("agent_ttl = \"24h\"");
    assert!(
        equal.contains("agent_ttl 24h is more than an authority of ca_ttl 24h is sure to honour"),
        "{equal}"
    );
    assert_eq!(
        server(&server_text("agent_ttl = \"24h\"", "")).unwrap().agent_ttl,
        Duration::from_secs(24 * 3600),
        "what was asked for is used"
    );
}

#[test]
fn a_lifetime_at_the_limit_is_fine() {
    let settings =
        server(&server_text("ca_ttl = \"1h\" default_x509_svid_ttl = \"10m\" agent_ttl = \"10m\"", ""))
            .unwrap();
    assert_eq!(settings.default_x509_svid_ttl, Duration::from_secs(600));
    assert!(settings.warnings.is_empty());
}

#[test]
fn a_default_is_lowered_to_what_the_authority_can_promise() {
    let settings = server(&server_text("ca_ttl = \"1m\"", "")).unwrap();
    assert_eq!(settings.default_x509_svid_ttl, Duration::from_secs(10));
    assert_eq!(settings.default_jwt_svid_ttl, Duration::from_secs(10));
    assert_eq!(settings.agent_ttl, Duration::from_secs(10));
    assert_eq!(
        lines(&settings.warnings),
        "s.conf:1:8: default_x509_svid_ttl is not set; its default of 1h is lowered to 10s, a sixth of ca_ttl\n\
         s.conf:1:8: default_jwt_svid_ttl is not set; its default of 5m is lowered to 10s, a sixth of ca_ttl\n"
    );
}

#[test]
fn a_lifetime_is_at_least_a_second() {
    server_refuses("ca_ttl = \"0s\"", "s.conf:4:10: ca_ttl \"0s\" cannot be used: it must be at least 1s");
    server_refuses(
        "agent_ttl = \"-1h\"",
        "s.conf:4:13: agent_ttl \"-1h\": a duration may not be negative here",
    );
}
