//! Attested nodes.

use std::sync::Arc;

use model::ports::ChangeLog;
use model::{Agent, Expect, Footprint, Row, UnixTime, Write, WriteFault};

use super::asked::{done, loaded, refused, row};
use super::sample::{agent, selectors};

fn put(agent: Agent, expect: Expect) -> Write {
    Write::PutAgent { agent, expect }
}

/// What is stored is what was written.
pub async fn an_agent_keeps_all_its_fields(log: &dyn ChangeLog) {
    let renewing = Agent {
        new_serial: "42".to_owned(),
        new_expires_at: Some(UnixTime(0)),
        can_reattest: false,
        version: String::new(),
        ..agent("renewing")
    };
    let banned = Agent { serial: String::new(), selectors: selectors(&[]), ..agent("banned") };
    for agent in [agent("plain"), renewing, banned] {
        let changes = done(log, put(agent.clone(), Expect::Absent)).await;
        let wanted = Agent { ord: changes.first().expect("a change").cursor.number, ..agent.clone() };
        assert_eq!(row(&changes), Row::Agent(Arc::new(wanted.clone())));
        assert_eq!(loaded(log).await.agent(&agent.id).map(|a| Agent::clone(a)), Some(wanted));
        let print = Footprint { spiffe_id: Some(agent.id), parent_id: None, selectors: agent.selectors };
        assert_eq!(changes.first().expect("a change").is, Some(print));
    }
}

/// The order of lists is that of first attestation.
pub async fn a_new_agent_is_ordered_by_the_number_of_its_change(log: &dyn ChangeLog) {
    for name in ["z", "a"] {
        done(log, put(Agent { ord: 9, ..agent(name) }, Expect::Any)).await;
    }
    done(log, put(Agent { version: "2".to_owned(), ..agent("z") }, Expect::Any)).await;
    let snapshot = loaded(log).await;
    let listed: Vec<_> = snapshot.agents_after(0).map(|a| (a.id.path(), a.ord)).collect();
    assert_eq!(listed, [("/spire/agent/x509pop/z", 1), ("/spire/agent/x509pop/a", 2)]);
}

/// Two attestations at once, or a renewal beside a ban: one of them is told.
pub async fn an_agent_is_replaced_as_expected_or_not_at_all(log: &dyn ChangeLog) {
    assert_eq!(refused(log, put(agent("a"), Expect::Revision(0))).await, WriteFault::NotFound("agent"));
    done(log, put(agent("a"), Expect::Absent)).await;
    assert_eq!(refused(log, put(agent("a"), Expect::Absent)).await, WriteFault::Exists("agent"));
    let Row::Agent(second) = row(&done(log, put(agent("a"), Expect::Revision(0))).await) else { panic!() };
    assert_eq!(second.revision, 1);
    assert_eq!(refused(log, put(agent("a"), Expect::Revision(0))).await, WriteFault::Conflict("agent"));
    let Row::Agent(third) = row(&done(log, put(agent("a"), Expect::Any)).await) else { panic!() };
    assert_eq!(third.revision, 2);
}

/// Deleting twice is noticed, and the node may come again as a new one.
pub async fn a_deleted_agent_is_gone(log: &dyn ChangeLog) {
    done(log, put(agent("a"), Expect::Absent)).await;
    let changes = done(log, Write::DeleteAgent(agent("a").id)).await;
    assert!(
        matches!(changes.as_slice(), [change] if change.row.is_none() && change.was.is_some()),
        "{changes:?}"
    );
    assert_eq!(refused(log, Write::DeleteAgent(agent("a").id)).await, WriteFault::NotFound("agent"));
    let Row::Agent(again) = row(&done(log, put(agent("a"), Expect::Absent)).await) else { panic!() };
    assert_eq!((again.ord, again.revision), (3, 0));
}
