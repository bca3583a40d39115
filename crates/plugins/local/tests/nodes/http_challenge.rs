use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::SystemTime;

use model::Attested;
use model::ports::{AttestError, NodeAttestor};
use plugins_local::http_challenge::{Agent, Configuration, ConfigurationFault, Server};

use super::conversation::{Saying, converse, trust_domain};

fn settings() -> Configuration {
    Configuration {
        allowed_dns_patterns: Vec::new(),
        required_port: None,
        allow_non_root_ports: true,
        tofu: true,
    }
}

fn server(settings: &Configuration) -> Server {
    Server::new(trust_domain(), settings).map_err(|faults| format!("{faults:?}")).unwrap()
}

fn agent(advertised: Option<u16>) -> Agent {
    Agent::new(Some("127.0.0.1".to_owned()), "default".to_owned(), 0, advertised).unwrap()
}

/// What a node is told that claims this and then answers as it likes.
async fn claim(settings: &Configuration, payload: &str) -> Result<Attested, AttestError> {
    let mut node = Saying(|_| b"\n".to_vec());
    server(settings).attest(payload.as_bytes(), &mut node, SystemTime::now()).await
}

fn claiming(host: &str, port: u16) -> String {
    format!(r#"{{"hostname":"{host}","agentname":"default","port":{port}}}"#)
}

#[tokio::test]
async fn a_node_is_known_by_the_name_it_answers_under() {
    let attested = converse(&agent(None), &server(&settings()), SystemTime::now()).await.unwrap();
    assert_eq!(attested.agent_id().as_str(), "spiffe://example.org/spire/agent/http_challenge/127.0.0.1");
    let selectors: Vec<_> = attested.selectors().iter().map(|it| (it.kind(), it.value())).collect();
    assert_eq!(selectors, [("http_challenge", "hostname:127.0.0.1")]);
    assert!(!attested.can_reattest() && attested.is_on_first_use());
}

#[tokio::test]
async fn without_first_use_a_name_may_come_again() {
    let settings = Configuration { required_port: Some(80), tofu: false, ..settings() };
    assert!(Server::new(trust_domain(), &settings).is_ok());
    let privileged = Configuration { required_port: None, allow_non_root_ports: false, ..settings };
    assert!(Server::new(trust_domain(), &privileged).is_ok());
}

#[test]
fn first_use_cannot_be_given_up_where_any_user_may_listen() {
    for (required_port, allow_non_root_ports) in [(Some(1024), false), (None, true), (Some(8080), true)] {
        let settings = Configuration { required_port, allow_non_root_ports, tofu: false, ..settings() };
        let faults = Server::new(trust_domain(), &settings).map(drop).unwrap_err();
        assert_eq!(faults, [ConfigurationFault::Tofu], "{settings:?}");
    }
}

#[test]
fn every_pattern_that_cannot_be_used_is_named() {
    let patterns = ["(".to_owned(), "ok".to_owned(), "x{9999}{9999}".to_owned()];
    let refused = Configuration { allowed_dns_patterns: patterns.to_vec(), ..settings() };
    let faults = Server::new(trust_domain(), &refused).map(drop).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], "cannot compile allowed_dns_pattern: \"(\", unclosed group");
    assert!(said[1].contains("exceeds size limit"), "{said:?}");
}

#[tokio::test]
async fn what_is_not_admitted_is_refused_in_spires_words() {
    let narrow = Configuration {
        allowed_dns_patterns: vec![r"^p[0-9]+\.example$".to_owned(), "b".to_owned()],
        required_port: Some(80),
        ..settings()
    };
    let privileged = Configuration { allow_non_root_ports: false, ..settings() };
    for (settings, payload, said) in [
        (&narrow, claiming("p1.example", 81), "port 81 is not allowed to be used by this server"),
        (&privileged, claiming("p1.example", 1024), "port 1024 is not allowed to be >= 1024"),
        (&narrow, claiming("p1.example.org", 80), "the requested hostname is not allowed to connect"),
        (&settings(), claiming("localhost", 80), "you can not use localhost as a hostname"),
        (&settings(), claiming("LocalHost.", 80), "you can not use localhost as a hostname"),
        (&settings(), claiming("a.localhost", 80), "you can not use localhost as a hostname"),
        (&settings(), claiming("", 80), "challenge verification failed: hostname must be set"),
        (&settings(), claiming("a/b", 80), "challenge verification failed: hostname can not contain a slash"),
        (&settings(), claiming("::1", 80), "challenge verification failed: hostname can not contain a colon"),
        (&settings(), claiming("a", 0), "challenge verification failed: port is invalid"),
        (&settings(), claiming("a b", 80), "failed to make spiffe id"),
        (&settings(), claiming("a?b", 80), "failed to make spiffe id"),
        (&settings(), "{".to_owned(), "failed to unmarshal data"),
        (&settings(), claiming("a", 80).replace("default", "1a"), "agent name is not valid"),
        (&settings(), claiming("a", 80).replace("default", "a/.."), "agent name is not valid"),
        (&settings(), claiming("a", 80).replace("default", &"a".repeat(33)), "agent name is not valid"),
        (&settings(), " ".repeat(5000), "the payload is larger than 4096 bytes"),
    ] {
        let refused = claim(settings, &payload).await.unwrap_err().to_string();
        assert!(refused.starts_with(said), "{payload}: {refused}");
    }
}

/// Serves each caller these bytes, and says what it was asked.
fn page(answer: &'static [u8]) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 2048];
        let length = stream.read(&mut asked).unwrap();
        let _ = stream.write_all(answer);
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (port, serve)
}

#[tokio::test]
async fn another_answer_than_the_nonce_proves_nothing() {
    for (answer, said) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong"[..], "expected nonce was not found"),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            "http redirects",
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz", "the answer is no HTTP"),
        (b"SSH-2.0-x\r\n", "the answer is no HTTP"),
        (b"", "the answer is no HTTP"),
    ] {
        let (port, asked) = page(answer);
        let refused = claim(&settings(), &claiming("127.0.0.1", port)).await.unwrap_err();
        assert!(matches!(refused, AttestError::Denied(_)), "{refused:?}");
        let refused = refused.to_string();
        assert!(refused.starts_with(&format!("challenge verification failed: {said}")), "{refused}");
        let asked = asked.join().unwrap();
        let path = "/.well-known/spiffe/nodeattestor/http_challenge/default/challenge";
        assert!(asked.starts_with(&format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n")), "{asked}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let (port, asked) = page(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n                                                                  ",
    );
    let refused = claim(&settings(), &claiming("127.0.0.1", port)).await.unwrap_err().to_string();
    assert!(refused.ends_with("expected nonce was not found in HTTP response"), "{refused}");
    asked.join().unwrap();
}

#[tokio::test]
async fn the_advertised_port_is_the_one_that_is_asked() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = converse(&agent(Some(nobody)), &server(&settings()), SystemTime::now()).await.unwrap_err();
    let said = format!("challenge verification failed: 127.0.0.1:{nobody} cannot be reached");
    assert!(refused.to_string().starts_with(&said), "{refused}");
}
