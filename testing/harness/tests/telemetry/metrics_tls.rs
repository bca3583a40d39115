//! Metrics over TLS by the roles' own SVIDs, fetched by OpenSSL.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{Domain, Missing, Options, eventually, free_port, skip};

const WAIT: Duration = Duration::from_secs(60);

/// What OpenSSL said and got, with the SVID in this folder if there is one, judging by the bundle in that one.
fn fetch(port: u16, bundle: &Path, shown: Option<&Path>) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-verify_return_error", "-ign_eof"]);
    command.arg("-CAfile").arg(bundle.join("bundle.0.pem"));
    if let Some(folder) = shown {
        command.arg("-cert").arg(folder.join("svid.0.pem")).arg("-key").arg(folder.join("svid.0.key"));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().unwrap();
    let asked = client.stdin.take().unwrap().write_all(b"GET /metrics HTTP/1.0\r\n\r\n");
    let answer = client.wait_with_output().unwrap();
    drop(asked);
    format!("{}{}", String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr))
}

/// The certificate that was shown to a client that found it well, and the page with it.
fn page(port: u16, folder: &Path) -> Option<String> {
    let said = fetch(port, folder, Some(folder));
    if !said.contains("Verify return code: 0 (ok)") || !said.contains("_uptime_in_ms{") {
        return None;
    }
    let certificate = said.split_once("-----BEGIN CERTIFICATE-----")?.1;
    Some(certificate.split_once("-----END CERTIFICATE-----")?.0.to_owned())
}

#[test]
fn metrics_over_tls_go_to_the_named_identity_alone_through_renewals_of_the_own_svid() {
    const TEST: &str = "metrics_over_tls_go_to_the_named_identity_alone_through_renewals_of_the_own_svid";
    if Command::new("openssl").arg("version").output().is_err() {
        return skip(TEST, &Missing::Tool("there is no openssl; run scripts/install-test-tools".to_owned()));
    }
    let ports = [free_port(), free_port()];
    let block = |port: u16| {
        format!(
            "telemetry {{\n  Prometheus {{\n    host = \"127.0.0.1\"\n    port = {port}\n    tls {{\n      use_spire_svid = \
             true\n      authorized_spiffe_ids = [\"spiffe://example.org/prometheus\"]\n    }}\n  }}\n}}"
        )
    };
    let options = Options::default().server_block(&block(ports[0])).agent_block(&block(ports[1]));
    let options = options.short_svids().server_line("agent_ttl = \"20s\"");
    let domain = Domain::start(options);
    let folder = |name: &str| {
        let folder = domain.folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let entry = domain.workload(&domain.id(name), &["-x509SVIDTTL", "3600"]);
        let written = ["api", "fetch", "x509", "-write", folder.to_str().unwrap()];
        domain.agent().cli(&written).succeeds();
        domain.cli(&["entry", "delete", "-entryID", &entry]).succeeds();
        eventually("the entry to be gone", WAIT, || {
            (!domain.agent().cli(&["api", "fetch", "x509"]).ok()).then_some(())
        });
        folder
    };
    let (known, stranger) = (folder("prometheus"), folder("stranger"));
    for port in ports {
        let first = eventually("metrics to be fetched over TLS", WAIT, || page(port, &known));
        for shown in [None, Some(stranger.as_path())] {
            let said = fetch(port, &known, shown);
            assert!(!said.contains("uptime_in_ms"), "{said}");
        }
        // The SVID lives for 20 seconds, and the endpoint shows the next one without a pause.
        eventually("another certificate to be shown", WAIT, || {
            page(port, &known).filter(|next| *next != first)
        });
    }
}
