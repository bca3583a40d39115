//! `agent purge`.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::list_agents_request::Filter;
use proto::spire::api::server::agent::v1::{DeleteAgentRequest, ListAgentsRequest};
use proto::spire::api::types::{Agent, AgentMask};
use serde_json::{Map, Value, json};
use tonic::transport::Channel;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use crate::fault::Fault;
use crate::output::{self, Form, print_json_unsorted};
use crate::terminal::Terminal;
use crate::{status, text};

const PAGE: i32 = 1000;

const FLAGS: &[Flag] = &[
    Flag::duration("expiredFor", "How long ago the SVID of an agent must have ended").or("720h"),
    Flag::switch("dryRun", "Name the agents that would be purged, and purge none"),
];

pub(in super::super) static COMMAND: Command = command(
    "agent purge",
    "Evicts agents that have been expired for long and can attest again",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("See what would go, of those expired for a week", "-expiredFor 168h -dryRun")]);

/// An agent that has been expired for long enough, and what became of it.
struct Expired {
    id: String,
    deleted: bool,
    /// Why it was not deleted, if that was tried.
    error: Option<String>,
}

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let channel = dial(values, terminal).await?;
    let mut client = AgentClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let limit = values.duration("expiredFor");
    let dry = values.switch("dryRun");
    let mut found = Vec::new();
    for agent in candidates(&mut client).await? {
        if expired_for(&agent, terminal) > Some(limit) {
            found.push(if dry { spared(&agent) } else { evict(&mut client, agent).await });
        }
    }
    match output::form(values) {
        Form::Json => print_json_unsorted(terminal.out, &document(&found))?,
        Form::Pretty if found.is_empty() => writeln!(terminal.out, "No agents to purge.")?,
        Form::Pretty => print(&mut *terminal.out, &found, dry)?,
    }
    Ok(())
}

/// All agents that can attest again.
async fn candidates(client: &mut AgentClient<Channel>) -> Result<Vec<Agent>, Fault> {
    let mut request = ListAgentsRequest {
        filter: Some(Filter { by_can_reattest: Some(true), ..Filter::default() }),
        output_mask: Some(AgentMask { x509svid_expires_at: true, ..AgentMask::default() }),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut all = Vec::new();
    loop {
        let page = client.list_agents(request.clone()).await;
        let page = page.map_err(Fault::call("failed to list agents: "))?.into_inner();
        all.extend(page.agents);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// How long ago the agent's SVID ended; none if it has not.
fn expired_for(agent: &Agent, terminal: &Terminal<'_>) -> Option<Duration> {
    let end = UNIX_EPOCH + Duration::from_secs(u64::try_from(agent.x509svid_expires_at).unwrap_or(0));
    terminal.clock.now().duration_since(end).ok()
}

fn spared(agent: &Agent) -> Expired {
    Expired { id: text::id(agent.id.as_ref()), deleted: false, error: None }
}

async fn evict(client: &mut AgentClient<Channel>, agent: Agent) -> Expired {
    let error = client.delete_agent(DeleteAgentRequest { id: agent.id.clone() }).await.err();
    let error = error.map(|status| status::line(&status));
    Expired { deleted: error.is_none(), error, ..spared(&agent) }
}

fn document(found: &[Expired]) -> Value {
    let agent = |one: &Expired| {
        let mut object = Map::new();
        object.insert("agent_id".to_owned(), json!(one.id));
        object.insert("deleted".to_owned(), json!(one.deleted));
        if let Some(error) = &one.error {
            object.insert("error".to_owned(), json!(error));
        }
        Value::Object(object)
    };
    json!({"expired_agents": found.iter().map(agent).collect::<Vec<_>>()})
}

fn print(out: &mut dyn io::Write, found: &[Expired], dry: bool) -> io::Result<()> {
    writeln!(out, "Found {}\n", text::count(found.len(), "expired agent", "expired agents"))?;
    let (gone, left): (Vec<_>, Vec<_>) = found.iter().partition(|one| one.deleted);
    let groups = match dry {
        true => [("\nAgents that can be purged:", left), ("Agents purged:", gone)],
        false => [("Agents purged:", gone), ("Agents not purged:", left)],
    };
    for (title, agents) in groups.iter().filter(|(_, agents)| !agents.is_empty()) {
        writeln!(out, "{title}")?;
        for one in agents {
            writeln!(out, "SPIFFE ID         : {}", one.id)?;
            if let Some(error) = &one.error {
                writeln!(out, "Error             : {error}")?;
            }
        }
    }
    Ok(())
}
