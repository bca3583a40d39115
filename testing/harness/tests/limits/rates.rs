//! How often an address may ask: SPIRE's kinds, bursts, codes and words. Each test is held against SPIRE's server too,
//! where it is at hand.

use std::net::Ipv4Addr;
use std::time::Duration;

use harness::Program::{self, Bonafide, Spire};
use harness::{Domain, Options, skip};
use proto::spire::api::server::agent::v1::PostStatusRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::server::svid::v1::{BatchNewX509svidRequest, NewX509svidParams};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::peers::{Node, attest_within};
use super::wire::{over_socket, over_tls_after};

/// Less than the time in which a bucket that fills once a second gives the next.
const HASTE: Duration = Duration::from_millis(300);
/// Time enough for whom no limit holds up.
const ENOUGH: Duration = Duration::from_secs(20);

fn domain(program: Program, line: &str) -> Domain {
    Domain::start_server(Options::default().programs(program, program).server_line(line))
}

/// Whether the limit refused; whatever else is said to a token that is none.
fn limited(answer: &Result<(), Status>) -> bool {
    answer.as_ref().is_err_and(|status| status.code() == Code::ResourceExhausted)
}

fn from(port: u16, last: u8, header: &str) -> Channel {
    over_tls_after(port, None, Ipv4Addr::new(127, 0, 0, last), header.as_bytes().to_vec())
}

async fn a_batch_above_the_burst_is_refused(program: Program) {
    let domain = domain(program, "");
    let node = Node::join(&domain).await;
    let mut svids = SvidClient::new(node.connect(domain.port()));
    let params = |count| BatchNewX509svidRequest { params: vec![NewX509svidParams::default(); count] };
    let status = svids.batch_new_x509svid(params(501)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let words =
        "rejecting request due to certificate signing rate limiting: rate (501) exceeds burst size (500)";
    assert!(status.message().starts_with(words), "{status:?}");
    let answer = svids.batch_new_x509svid(params(500)).await.unwrap().into_inner();
    assert_eq!(answer.results.len(), 500);
    assert!(
        answer.results.iter().all(|result| result.status.as_ref().unwrap().message == "missing entry ID")
    );
}

/// What comes of several attestations at once whose callers have little time: the connection is there already.
async fn in_haste(channel: &Channel) -> Vec<Status> {
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { attest_within(channel, Some(HASTE)).await })
        })
        .collect();
    let mut refused = Vec::new();
    for call in calls {
        let answer = call.await.unwrap();
        refused.extend(answer.err().filter(|status| status.code() == Code::ResourceExhausted));
    }
    refused
}

async fn an_address_attests_once_a_second(program: Program) {
    let domain = domain(program, "");
    let port = domain.port();
    let mine = from(port, 1, "");
    let first = attest_within(mine.clone(), None).await;
    assert!(!limited(&first), "{first:?}");
    let refused = in_haste(&mine).await;
    let words =
        "rejecting request due to attest agent rate limiting: rate: Wait(n=1) would exceed context deadline";
    assert!(!refused.is_empty(), "five attestations within less than a second");
    assert!(refused.iter().all(|status| status.message() == words), "{refused:?}");
    let other = attest_within(from(port, 2, ""), Some(ENOUGH)).await;
    assert!(!limited(&other), "another address is another's: {other:?}");
    // Who has no deadline waits its turn.
    let waited = attest_within(mine, None).await;
    assert!(!limited(&waited), "{waited:?}");
    // Nobody waits at the admin socket.
    let socket = over_socket(&domain.peek_server().socket()).await;
    let refused = in_haste(&socket).await;
    assert!(refused.is_empty(), "{refused:?}");
}

async fn behind_a_load_balancer_the_address_is_the_clients(program: Program) {
    let domain = domain(program, "proxy_protocol_trusted_cidrs = [\"127.0.0.1/32\"]");
    let port = domain.port();
    let client = |last: u8| from(port, 1, &format!("PROXY TCP4 192.0.2.{last} 192.0.2.254 5000 8081\r\n"));
    let one = client(1);
    assert!(!limited(&attest_within(one.clone(), Some(ENOUGH)).await));
    assert!(!in_haste(&one).await.is_empty(), "one client is limited");
    for last in 2..=4 {
        let answer = attest_within(client(last), Some(ENOUGH)).await;
        assert!(!limited(&answer), "client {last}: {answer:?}");
    }
}

async fn status_reports_are_limited_whatever_is_configured(program: Program) {
    let domain = domain(program, "ratelimit { attestation = false  signing = false }");
    let node = Node::join(&domain).await;
    let channel = node.connect(domain.port());
    let report = move || {
        let mut agents = AgentClient::new(channel.clone());
        async move {
            let mut request = Request::new(PostStatusRequest::default());
            // Longer than the time to ask, shorter than the queue of those who wait.
            request.set_timeout(Duration::from_secs(2));
            agents.post_status(request).await.map(|_| ())
        }
    };
    report().await.unwrap();
    let reports: Vec<_> = (0..100).map(|_| tokio::spawn(report())).collect();
    let mut refused = 0;
    for report in reports {
        let answer = report.await.unwrap();
        if limited(&answer) {
            let words = "rejecting request due to post status rate limiting: rate: Wait(n=1) would exceed context deadline";
            assert_eq!(answer.unwrap_err().message(), words);
            refused += 1;
        }
    }
    // Ten at once, ten a second for two seconds; more for as long as the asking takes.
    assert!((20..=90).contains(&refused), "{refused} of 100 were refused");
}

/// Both servers, or ours alone.
macro_rules! held_against_both {
    ($($ours:ident, $theirs:ident: $scenario:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $ours() {
            $scenario(Bonafide).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $theirs() {
            match Spire.available() {
                Ok(()) => $scenario(Spire).await,
                Err(missing) => skip(stringify!($theirs), &missing),
            }
        }
    )*};
}

held_against_both! {
    our_server_refuses_a_batch_above_the_burst, spires_server_refuses_a_batch_above_the_burst:
        a_batch_above_the_burst_is_refused;
    at_our_server_an_address_attests_once_a_second, at_spires_server_an_address_attests_once_a_second:
        an_address_attests_once_a_second;
    our_server_limits_the_clients_of_a_load_balancer, spires_server_limits_the_clients_of_a_load_balancer:
        behind_a_load_balancer_the_address_is_the_clients;
    our_server_always_limits_status_reports, spires_server_always_limits_status_reports:
        status_reports_are_limited_whatever_is_configured;
}
