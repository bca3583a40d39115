//! Agents.

use std::io::{self, Write};

use proto::spire::api::types::Agent;

use crate::text;

/// One agent, with a blank line after it.
fn print(out: &mut dyn Write, agent: &Agent) -> io::Result<()> {
    let mut line = |label: &str, value: &str| writeln!(out, "{label:18}: {value}");

    line("SPIFFE ID", &text::id(agent.id.as_ref()))?;
    line("Attestation type", &agent.attestation_type)?;
    line("Expiration time", &text::time(agent.x509svid_expires_at))?;
    if agent.banned {
        line("Banned", "true")?;
    } else {
        line("Serial number", &agent.x509svid_serial_number)?;
    }
    line("Can re-attest", &agent.can_reattest.to_string())?;
    if !agent.agent_version.is_empty() {
        line("Agent version", &agent.agent_version)?;
    }
    writeln!(out)
}

/// How many agents were found, then the agents.
pub(crate) fn print_found(out: &mut dyn Write, agents: &[Agent]) -> io::Result<()> {
    if agents.is_empty() {
        return writeln!(out, "No attested agents found");
    }
    writeln!(out, "Found {}:\n", text::count(agents.len(), "attested agent", "attested agents"))?;
    agents.iter().try_for_each(|agent| print(out, agent))
}

/// One agent with its selectors.
pub(crate) fn print_one(out: &mut dyn Write, agent: &Agent) -> io::Result<()> {
    writeln!(out, "Found an attested agent given its SPIFFE ID\n")?;
    print(out, agent)?;
    agent
        .selectors
        .iter()
        .try_for_each(|selector| writeln!(out, "Selectors         : {}:{}", selector.r#type, selector.value))
}

#[cfg(test)]
mod tests {
    use proto::spire::api::types::{Selector, Spiffeid};

    use super::*;

    fn agent(name: &str) -> Agent {
        Agent {
            id: Some(Spiffeid {
                trust_domain: "example.org".to_owned(),
                path: format!("/spire/agent/{name}"),
            }),
            attestation_type: "join_token".to_owned(),
            x509svid_serial_number: "123456789".to_owned(),
            x509svid_expires_at: 1_136_214_245,
            selectors: vec![Selector { r#type: "a".to_owned(), value: "b:c".to_owned() }],
            agent_version: "1.16.0".to_owned(),
            ..Agent::default()
        }
    }

    #[test]
    fn agents_are_counted_and_listed_without_selectors() {
        let banned = Agent { banned: true, can_reattest: true, agent_version: String::new(), ..agent("two") };
        let mut out = Vec::new();
        print_found(&mut out, &[agent("one"), banned]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
Found 2 attested agents:

SPIFFE ID         : spiffe://example.org/spire/agent/one
Attestation type  : join_token
Expiration time   : 2006-01-02 15:04:05 +0000 UTC
Serial number     : 123456789
Can re-attest     : false
Agent version     : 1.16.0

SPIFFE ID         : spiffe://example.org/spire/agent/two
Attestation type  : join_token
Expiration time   : 2006-01-02 15:04:05 +0000 UTC
Banned            : true
Can re-attest     : true

"
        );
    }

    #[test]
    fn no_agents_is_a_sentence() {
        let mut out = Vec::new();
        print_found(&mut out, &[]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "No attested agents found\n");
    }

    #[test]
    fn one_agent_shows_its_selectors() {
        let mut out = Vec::new();
        print_one(&mut out, &agent("one")).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("Found an attested agent given its SPIFFE ID\n\nSPIFFE ID         : "));
        assert!(text.ends_with("Agent version     : 1.16.0\n\nSelectors         : a:b:c\n"));
    }
}
