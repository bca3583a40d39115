use std::time::Duration;

use super::{lines, server, server_refuses, server_text};

#[test]
fn an_svid_that_rotation_would_cut_short_is_refused_with_the_arithmetic() {
    server_refuses(
        "default_x509_svid_ttl = \"8h\"",
        "s.conf:4:25: default_x509_svid_ttl 8h is more than an authority of ca_ttl 24h can promise: a successor \
         takes over when a sixth of its life is left, at most 168h: min(24h / 6, 168h) = 4h; set \
         default_x509_svid_ttl to 4h or less, or ca_ttl to 6 * 8h = 48h or more",
    );
    server_refuses(
        "agent_ttl = \"200h\"",
        "s.conf:4:13: agent_ttl 200h is more than an authority of ca_ttl 24h can promise: a successor takes over \
         when a sixth of its life is left, at most 168h: min(24h / 6, 168h) = 4h; set agent_ttl to 168h or less and \
         ca_ttl to 6 * 168h = 1008h or more",
    );
    server_refuses(
        "ca_ttl = \"2000h\" default_jwt_svid_ttl = \"200h\"",
        "s.conf:4:41: default_jwt_svid_ttl 200h is more than an authority of ca_ttl 2000h can promise: a successor \
         takes over when a sixth of its life is left, at most 168h: min(2000h / 6, 168h) = 168h; set \
         default_jwt_svid_ttl to 168h or less",
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
