use proto::spire::api::server::agent::v1::{DeleteAgentRequest, ListAgentsRequest, ListAgentsResponse};
use proto::spire::api::server::debug::v1::{GetInfoResponse, get_info_response::Cert};
use proto::spire::api::types::{Agent, Spiffeid};
use tonic::Status;

use super::fake::{Fake, NOW};

const AGENTS: &str = "/spire.api.server.agent.v1.Agent/ListAgents";
const EVICT: &str = "/spire.api.server.agent.v1.Agent/DeleteAgent";
const INFO: &str = "/spire.api.server.debug.v1.Debug/GetInfo";

fn agent(name: &str, expired_for_hours: u64) -> Agent {
    Agent {
        id: Some(Spiffeid { trust_domain: "example.org".to_owned(), path: format!("/spire/agent/{name}") }),
        x509svid_expires_at: i64::try_from(NOW - expired_for_hours * 3600).unwrap(),
        ..Agent::default()
    }
}

fn agents() -> ListAgentsResponse {
    let agents = vec![agent("long", 800), agent("short", 700), agent("longer", 900)];
    ListAgentsResponse { agents, next_page_token: String::new() }
}

#[test]
fn agents_that_are_expired_for_long_are_purged() {
    let fake = Fake::start()
        .answer(AGENTS, &agents())
        .answer(EVICT, &())
        .refuse(EVICT, Status::not_found("agent not found"));
    let said = fake.server(&["agent", "purge"]);
    assert_eq!(
        said.out,
        "Found 2 expired agents\n\nAgents purged:\nSPIFFE ID         : spiffe://example.org/spire/agent/long\n\
         Agents not purged:\nSPIFFE ID         : spiffe://example.org/spire/agent/longer\n\
         Error             : rpc error: code = NotFound desc = agent not found\n"
    );
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    assert_eq!(fake.asked::<DeleteAgentRequest>(EVICT).len(), 2);
    let asked = fake.asked::<ListAgentsRequest>(AGENTS);
    assert_eq!(asked[0].filter.as_ref().unwrap().by_can_reattest, Some(true));
}

#[test]
fn a_dry_run_purges_nobody() {
    let fake = Fake::start().answer(AGENTS, &agents());
    let said = fake.server(&["agent", "purge", "-dryRun", "-expiredFor", "850h"]);
    assert_eq!(
        said.out,
        "Found 1 expired agent\n\n\nAgents that can be purged:\n\
         SPIFFE ID         : spiffe://example.org/spire/agent/longer\n"
    );
    let said = fake.server(&["agent", "purge", "-dryRun", "-expiredFor", "850h", "-output", "json"]);
    let longer = "{\"agent_id\":\"spiffe://example.org/spire/agent/longer\",\"deleted\":false}";
    assert_eq!(said.out, format!("{{\"expired_agents\":[{longer}]}}\n"));
    let said = fake.server(&["agent", "purge", "-dryRun", "-expiredFor", "2000h"]);
    assert_eq!(said.out, "No agents to purge.\n");
    assert!(fake.asked::<DeleteAgentRequest>(EVICT).is_empty());
}

#[test]
fn the_servers_numbers_are_printed() {
    let certificate =
        |id: Option<Spiffeid>| Cert { id, expires_at: 1_136_214_245, subject: "O=SPIFFE,C=US".to_owned() };
    let own = Spiffeid { trust_domain: "example.org".to_owned(), path: "/spire/server".to_owned() };
    let info = GetInfoResponse {
        svid_chain: vec![certificate(Some(own)), certificate(None)],
        uptime: 3700,
        agents_count: 1,
        federated_bundles_count: 2,
        entries_count: 3,
    };
    let fake = Fake::start().answer(INFO, &info);
    assert_eq!(
        fake.server(&["debug", "getinfo"]).out,
        "\
Server Debug Info:
  Uptime:                  1h1m40s
  Registered Agents:       1
  Registration Entries:    3
  Federated Bundles:       2
  SVID Chain:
    [0] SPIFFE ID:  spiffe://example.org/spire/server
        Subject:    O=SPIFFE,C=US
        Expires At: 2006-01-02T15:04:05Z
    [1] SPIFFE ID:  (none)
        Subject:    O=SPIFFE,C=US
        Expires At: 2006-01-02T15:04:05Z
"
    );
    let said = fake.server(&["debug", "getinfo", "-output", "json"]);
    assert!(
        said.out.contains("\"uptime\":3700") && said.out.contains("\"expires_at\":\"1136214245\""),
        "{}",
        said.out
    );
}
