//! JWT-SVIDs that an Envoy validates.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Domain, Envoy, Options, Program, ask, eventually};

use crate::bootstrap;
use crate::forced::Family;
use crate::missing;

/// A token for the audience, and the keys as the Workload API gives them.
fn fetch(domain: &Domain, audience: &str) -> (String, Vec<u8>) {
    let arguments = ["api", "fetch", "jwt", "-audience", audience, "-output", "json"];
    let fetched = domain.agent().cli(&arguments).succeeds().json();
    let token = fetched[0]["svids"][0]["svid"].as_str().unwrap().to_owned();
    let keys = fetched[1]["bundles"]["spiffe://example.org"].as_str().unwrap();
    (token, STANDARD.decode(keys).unwrap())
}

/// Serves a file over HTTP, as it is when it is asked for, until the test ends.
fn serve(file: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let head = BufReader::new(&stream).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let body = std::fs::read(&file).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    port
}

fn replace(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(new, file).unwrap();
}

#[test]
fn an_envoy_validates_jwt_svids_by_our_keys_through_a_rotation() {
    if missing("JWT-SVIDs in Envoy") {
        return;
    }
    let domain = Domain::start(Options::default());
    let id = domain.id("caller");
    domain.workload(&id, &[]);
    let (token, keys) = fetch(&domain, "envoy");
    let (file, fixed) = (domain.folder().join("jwks.json"), domain.folder().join("fixed.json"));
    replace(&file, &keys);
    replace(&fixed, &keys);
    let envoy = Envoy::start(&domain.folder().join("envoy"), &bootstrap::jwt(serve(file.clone()), &fixed));
    let port = envoy.port("plain");
    let answer = |path: &str, token: &str| {
        let answer = ask(port, path, &format!("Authorization: Bearer {token}\r\n")).unwrap();
        (answer.status, answer.head.contains(&format!("x-subject: {id}")))
    };
    for path in ["/remote", "/local"] {
        assert_eq!(answer(path, &token), (200, true), "{}", envoy.log());
        assert_eq!(ask(port, path, "").unwrap().status, 401, "no token");
        let (other, _) = fetch(&domain, "another");
        assert_eq!(answer(path, &other), (403, false), "another audience");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        assert_eq!(answer(path, &forged), (401, false), "forged");
    }
    let family = Family { domain: &domain, commands: Program::Bonafide, name: "jwt" };
    let old = family.replace();
    family.taint(&old);
    let (new, keys) = eventually("a token of the new key", Duration::from_secs(30), || {
        let (new, keys) = fetch(&domain, "envoy");
        (new != token).then_some((new, keys))
    });
    replace(&file, &keys);
    eventually("the new key to be fetched", Duration::from_secs(30), || {
        (answer("/remote", &new) == (200, true)).then_some(())
    });
    assert_eq!(answer("/remote", &token), (200, true), "the old key is published until it is revoked");
}
