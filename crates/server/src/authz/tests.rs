//! The table against the wire's own list of methods, and every method against every kind of caller.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::{Clock, Hand};
use kit::status::detail;
use model::{Agent, Entry, EntryId, Expect, Selector, Selectors, UnixTime, Write};
use prost::Message;
use proto::spire::api::types::{PermissionDeniedDetails, permission_denied_details::Reason};
use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate, LeafTemplate, VerifiedSvid, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};
use store::sqlite::{Options, SqliteLog};
use tonic::Code;

use super::table::{HEALTH_LIST, TABLE, Who};
use super::{Authorizer, Limiter, Peer, RateLimits, Standing};
use crate::registry::Registry;

/// The services that the server registers, beside health and reflection.
const SERVICES: [&str; 9] = [
    "spire.api.server.agent.v1.Agent",
    "spire.api.server.bundle.v1.Bundle",
    "spire.api.server.entry.v1.Entry",
    "spire.api.server.svid.v1.SVID",
    "spire.api.server.trustdomain.v1.TrustDomain",
    "spire.api.server.logger.v1.Logger",
    "spire.api.server.debug.v1.Debug",
    "spire.api.server.localauthority.v1.LocalAuthority",
    "bonafide.feed.v1.Feed",
];

#[test]
fn every_method_on_the_wire_has_a_row_and_every_row_a_method() {
    let mut methods = HashSet::from([HEALTH_LIST.to_owned()]);
    for set in [proto::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET] {
        let set = prost_types::FileDescriptorSet::decode(set).unwrap();
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                if SERVICES.contains(&name.as_str()) || name == "grpc.health.v1.Health" {
                    methods.extend(service.method.iter().map(|m| format!("/{name}/{}", m.name())));
                }
            }
        }
    }
    let rows: HashSet<String> =
        TABLE.iter().map(|row| row.method.to_owned()).filter(|m| !m.contains("reflection")).collect();
    assert_eq!(methods.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "methods without a row");
    assert_eq!(rows.difference(&methods).collect::<Vec<_>>(), Vec::<&String>::new(), "rows without a method");
}

struct World {
    authorizer: Authorizer,
    issuer: X509Issuer,
    bundle: Bundle,
    hand: Hand,
    now: SystemTime,
}

impl World {
    async fn new() -> Self {
        let td = TrustDomain::parse("example.org").unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let hour = Duration::from_secs(3600);
        let ca = CaTemplate::new(td.clone(), CaSubject::default(), now - hour, now + 24 * hour)
            .self_sign(&*key)
            .unwrap();
        let mut bundle = Bundle::new(td.clone());
        bundle.push_x509(X509Authority { certificate: ca.clone(), tainted: false }).unwrap();
        let log = Arc::new(SqliteLog::open(":memory:", Options::default()).await.unwrap());
        let (clock, hand) = Clock::by_hand(now);
        let authorizer = Authorizer {
            trust_domain: td,
            admin_ids: HashSet::from([SpiffeId::parse("spiffe://example.org/configured-admin").unwrap()]),
            registry: Registry::open(log, vec![]).await.unwrap(),
            clock,
            limiter: Arc::new(Limiter::new(RateLimits::default())),
            policy: None,
        };
        let issuer = X509Issuer::new(ca, vec![], key).unwrap();
        let world = Self { authorizer, issuer, bundle, hand, now };
        for (name, admin, downstream) in
            [("admin", true, false), ("downstream", false, true), ("workload", false, false)]
        {
            world.entry(name, admin, downstream).await;
        }
        world
    }

    async fn entry(&self, name: &str, admin: bool, downstream: bool) {
        let entry = Entry {
            id: EntryId::parse(name).unwrap(),
            ord: 0,
            spiffe_id: self.id(&format!("/{name}")),
            parent_id: self.id("/spire/agent/a"),
            selectors: [Selector::parse("unix:uid:1").unwrap()].into_iter().collect(),
            x509_svid_ttl: 0,
            jwt_svid_ttl: 0,
            federates_with: vec![],
            admin,
            downstream,
            expires_at: None,
            dns_names: vec![],
            revision: 0,
            store_svid: false,
            hint: String::new(),
            created_at: UnixTime(1),
            additional: None,
        };
        self.authorizer.registry.write(Write::CreateEntry(entry)).await.unwrap();
    }

    fn id(&self, path: &str) -> SpiffeId {
        SpiffeId::new(&self.authorizer.trust_domain, path).unwrap()
    }

    fn svid(&self, path: &str) -> VerifiedSvid {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let end = self.now + Duration::from_secs(3600);
        let leaf = LeafTemplate::new(self.id(path), key.public().clone(), self.now, end)
            .issue(&self.issuer)
            .unwrap();
        X509Svid::of(vec![leaf]).unwrap().verify(&self.bundle, self.now).unwrap()
    }

    /// Enrols an agent whose active SVID is the one returned.
    async fn agent(&self, path: &str, edit: impl FnOnce(&mut Agent)) -> VerifiedSvid {
        let svid = self.svid(path);
        let mut agent = Agent {
            id: self.id(path),
            ord: 0,
            attestation_type: "test".into(),
            serial: svid.leaf().serial_decimal(),
            expires_at: UnixTime::of(svid.expires_at()),
            new_serial: String::new(),
            new_expires_at: None,
            selectors: Selectors::default(),
            can_reattest: false,
            version: String::new(),
            revision: 0,
        };
        edit(&mut agent);
        self.authorizer.registry.write(Write::PutAgent { agent, expect: Expect::Absent }).await.unwrap();
        svid
    }
}

fn remote(svid: Option<VerifiedSvid>) -> Arc<Peer> {
    Arc::new(Peer::Remote { addr: ([127, 0, 0, 1], 1).into(), svid })
}

#[tokio::test]
async fn every_method_admits_the_callers_of_its_row_and_no_other() {
    let world = World::new().await;
    let agent = world.agent("/spire/agent/a", |_| {}).await;
    let callers: [(&str, Arc<Peer>, Option<Who>); 7] = [
        ("nobody", remote(None), None),
        ("local", Arc::new(Peer::Local { uid: 0, gid: 0, pid: None }), Some(Who::LOCAL)),
        ("agent", remote(Some(agent)), Some(Who::AGENT)),
        ("admin by entry", remote(Some(world.svid("/admin"))), Some(Who::ADMIN)),
        ("admin by configuration", remote(Some(world.svid("/configured-admin"))), Some(Who::ADMIN)),
        ("downstream", remote(Some(world.svid("/downstream"))), Some(Who::DOWNSTREAM)),
        ("workload", remote(Some(world.svid("/workload"))), None),
    ];
    for row in TABLE {
        for (name, peer, kind) in &callers {
            let socket = matches!(**peer, Peer::Local { .. });
            let expected = (!row.socket_only || socket)
                && (row.who.includes(Who::ANY) || kind.is_some_and(|kind| row.who.includes(kind)));
            let outcome = world.authorizer.authorize(row.method, peer.clone(), None).await;
            assert_eq!(outcome.is_ok(), expected, "{name} calling {}", row.method);
            if let Err(status) = outcome {
                let code = if row.socket_only { Code::Unimplemented } else { Code::PermissionDenied };
                assert_eq!(status.code(), code, "{name} calling {}", row.method);
            }
        }
    }
    let unknown = world.authorizer.authorize("/no.such/Method", remote(None), None).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_agent_that_is_refused_is_told_why() {
    let world = World::new().await;
    let renew = "/spire.api.server.agent.v1.Agent/RenewAgent";
    let banned = world.agent("/spire/agent/banned", |a| a.serial = String::new()).await;
    let stale = world.agent("/spire/agent/stale", |a| a.serial = "1".into()).await;
    let fine = world.agent("/spire/agent/fine", |_| {}).await;
    let unknown = world.svid("/spire/agent/unknown");
    let reason = async |svid: &VerifiedSvid| {
        let status = world.authorizer.authorize(renew, remote(Some(svid.clone())), None).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(status.message(), format!("authorization denied for method {renew}"));
        detail::<PermissionDeniedDetails>(&status, "spire.api.types.PermissionDeniedDetails")
            .unwrap()
            .reason()
    };
    assert_eq!(reason(&banned).await, Reason::AgentBanned);
    assert_eq!(reason(&stale).await, Reason::AgentNotActive);
    assert_eq!(reason(&unknown).await, Reason::AgentNotAttested);
    assert!(world.authorizer.authorize(renew, remote(Some(fine.clone())), None).await.is_ok());
    world.hand.forward(Duration::from_secs(3600));
    assert_eq!(reason(&fine).await, Reason::AgentExpired);
}

#[tokio::test]
async fn the_first_use_of_a_renewed_svid_makes_it_the_active_one() {
    let world = World::new().await;
    let new = world
        .agent("/spire/agent/a", |agent| {
            agent.new_serial = std::mem::replace(&mut agent.serial, "1".into());
            agent.new_expires_at = Some(agent.expires_at);
        })
        .await;
    let renew = "/spire.api.server.agent.v1.Agent/RenewAgent";
    let caller = world.authorizer.authorize(renew, remote(Some(new.clone())), None).await.unwrap();
    assert!(matches!(caller.standing(), Standing::Agent(_)));
    let snapshot = world.authorizer.registry.snapshot();
    let row = snapshot.agent(&world.id("/spire/agent/a")).unwrap();
    assert_eq!((row.serial.clone(), row.new_serial.as_str()), (new.leaf().serial_decimal(), ""));
}

#[tokio::test]
async fn an_svid_that_ended_proves_nothing_however_long_its_connection_goes_on() {
    let world = World::new().await;
    let list = "/spire.api.server.agent.v1.Agent/ListAgents";
    let publish = "/spire.api.server.bundle.v1.Bundle/PublishJWTAuthority";
    let federated = "/spire.api.server.bundle.v1.Bundle/GetFederatedBundle";
    let callers =
        [(list, "/admin"), (list, "/configured-admin"), (publish, "/downstream"), (federated, "/admin")]
            .map(|(method, path)| (method, remote(Some(world.svid(path)))));
    for (method, peer) in &callers {
        assert!(world.authorizer.authorize(method, peer.clone(), None).await.is_ok(), "{method}");
    }
    world.hand.forward(Duration::from_secs(3600));
    for (method, peer) in &callers {
        let status = world.authorizer.authorize(method, peer.clone(), None).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{method}");
    }
    let open = "/spire.api.server.bundle.v1.Bundle/GetBundle";
    assert!(world.authorizer.authorize(open, callers[0].1.clone(), None).await.is_ok());
}
