use std::sync::Mutex;

use async_trait::async_trait;
use model::ports::{MintedCa, UpstreamError};
use spiffe::bundle::{JwtAuthority, X509Authority};
use spiffe::key::Signer;
use spiffe::x509::{CaSubject, CaTemplate, Certificate};

use super::super::order::{Order, OrderError, Ordered};
use super::*;

/// An authority above that signs with the newest of its roots.
struct Above {
    roots: Mutex<Vec<(X509Authority, Arc<PrivateKey>)>>,
    jwt: Mutex<Vec<JwtAuthority>>,
    clock: Clock,
}

impl Above {
    fn new(clock: &Clock) -> Arc<Self> {
        let above = Self { roots: Mutex::default(), jwt: Mutex::default(), clock: clock.clone() };
        above.add_root();
        Arc::new(above)
    }

    fn add_root(&self) {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let now = self.clock.now();
        let root =
            CaTemplate::new(td(), CaSubject::default(), now, now + 1000 * HOUR).self_sign(&key).unwrap();
        let root = X509Authority { certificate: root, tainted: false };
        self.roots.lock().unwrap().push((root, Arc::new(key)));
    }

    fn taint_first(&self) {
        self.roots.lock().unwrap()[0].0.tainted = true;
    }

    fn drop_first(&self) {
        self.roots.lock().unwrap().remove(0);
    }

    fn root_id(&self, index: usize) -> String {
        x509::authority_id(&self.roots.lock().unwrap()[index].0.certificate)
    }

    fn now_has(&self) -> Bundle {
        let mut bundle = Bundle::new(td());
        for (root, _) in self.roots.lock().unwrap().iter() {
            bundle.push_x509(root.clone()).unwrap();
        }
        for key in self.jwt.lock().unwrap().iter() {
            bundle.push_jwt(key.clone()).unwrap();
        }
        bundle
    }
}

#[async_trait]
impl UpstreamAuthority for Above {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn mint(&self, csr: Vec<u8>, ttl: Duration, now: SystemTime) -> Result<MintedCa, UpstreamError> {
        let csr = Csr::parse(&csr).unwrap();
        assert_eq!(csr.uri_sans(), ["spiffe://example.org"]);
        let template = CaTemplate::named(td(), csr.subject().clone(), now, now + ttl);
        let (root, key): (Certificate, _) = {
            let roots = self.roots.lock().unwrap();
            let (root, key) = roots.last().unwrap();
            (root.certificate.clone(), key.clone())
        };
        let ca = template.issue_under(csr.public_key(), &root, &*key as &dyn Signer).unwrap();
        Ok(MintedCa { chain: vec![ca], roots: self.now_has() })
    }

    async fn publish_jwt(&self, key: &JwtAuthority) -> Result<bool, UpstreamError> {
        self.jwt.lock().unwrap().push(key.clone());
        Ok(true)
    }

    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError> {
        Ok(Some(self.now_has()))
    }
}

fn below() -> (World, Arc<Above>) {
    let mut world = World::new();
    let above = Above::new(&world.clock);
    world.upstream = Some(above.clone());
    (world, above)
}

impl Server {
    async fn told(&mut self, order: Order) -> Result<Option<AuthorityState>, OrderError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.keeper.obey(Ordered { order, answer }).await;
        answered.await.unwrap()
    }
}

#[tokio::test]
async fn the_authority_above_signs_the_ca_and_its_root_alone_is_in_the_bundle() {
    let (world, above) = below();
    let server = world.boot().await;
    let (bundle, active) = (server.bundle(), server.x509(Stage::Active).unwrap());
    assert_eq!(active.upstream_id, above.root_id(0));
    let roots: Vec<_> =
        bundle.x509_authorities().iter().map(|a| x509::authority_id(&a.certificate)).collect();
    assert_eq!(roots, [above.root_id(0)]);
    let svid = server.agent_svid(&world).await;
    assert_eq!(svid.chain().len(), 2, "the intermediate goes along");
    assert!(believed(&svid, &bundle, world.clock.now()));
    assert_eq!(above.jwt.lock().unwrap()[0].key_id, server.jwt(Stage::Active).unwrap().id);
    // A restart goes on with the same.
    drop(server);
    assert_eq!(world.boot().await.x509(Stage::Active).unwrap(), active);
}

#[tokio::test]
async fn a_taint_above_has_another_authority_sign_before_it_is_told_on_and_a_revocation_follows() {
    let (world, above) = below();
    let mut server = world.boot().await;
    let first = server.x509(Stage::Active).unwrap();
    let serial =
        |server: &Server| server.authorities.server_identity().get().unwrap().svid().leaf().serial_decimal();
    let svid = serial(&server);
    above.add_root();
    server.keeper.follow(&above.now_has()).await;
    assert_eq!(server.x509(Stage::Active).unwrap(), first, "a new root alone changes nothing");
    assert_eq!(server.bundle().x509_authorities().len(), 2);

    above.taint_first();
    server.keeper.follow(&above.now_has()).await;
    let active = server.x509(Stage::Active).unwrap();
    assert_eq!((active.upstream_id, server.x509(Stage::Old).unwrap().id), (above.root_id(1), first.id));
    assert!(server.bundle().x509_authorities()[0].tainted);
    server.keeper.step().await;
    assert_ne!(serial(&server), svid, "the server's own SVID stood below the tainted root");
    let active = server.x509(Stage::Active).unwrap().id;
    server.keeper.follow(&above.now_has()).await;
    assert_eq!(server.x509(Stage::Active).unwrap().id, active, "once is enough");

    above.drop_first();
    server.keeper.follow(&above.now_has()).await;
    assert_eq!(server.bundle().x509_authorities().len(), 1);
    assert!(believed(&server.agent_svid(&world).await, &server.bundle(), world.clock.now()));
}

#[tokio::test]
async fn a_taint_above_waits_while_everything_there_stands_below_the_tainted_root() {
    let (world, above) = below();
    let mut server = world.boot().await;
    above.taint_first();
    server.keeper.follow(&above.now_has()).await;
    assert!(!server.bundle().x509_authorities()[0].tainted, "agents could only get more of the same");
    above.add_root();
    server.keeper.follow(&above.now_has()).await;
    assert!(server.bundle().x509_authorities()[0].tainted);
    assert_eq!(server.x509(Stage::Active).unwrap().upstream_id, above.root_id(1));
}

#[tokio::test]
async fn keys_of_other_servers_come_down_and_go_when_they_are_tainted_and_gone() {
    let (world, above) = below();
    let mut server = world.boot().await;
    let other = |tainted| JwtAuthority {
        key_id: "other".to_owned(),
        public_key: PrivateKey::generate(KeyType::EcP256).unwrap().public().clone(),
        expires_at: None,
        tainted,
    };
    above.jwt.lock().unwrap().push(other(false));
    server.keeper.follow(&above.now_has()).await;
    assert!(server.bundle().jwt_authority("other").is_some());
    let mut gone = above.now_has();
    gone.retain_jwt(|key| key.key_id != "other");
    server.keeper.follow(&gone).await;
    assert!(server.bundle().jwt_authority("other").is_some(), "what is sound stays");
    above.jwt.lock().unwrap()[1].tainted = true;
    server.keeper.follow(&above.now_has()).await;
    assert!(server.bundle().jwt_authority("other").unwrap().tainted);
    server.keeper.follow(&gone).await;
    assert!(server.bundle().jwt_authority("other").is_none());
    assert!(server.bundle().jwt_authority(&server.jwt(Stage::Active).unwrap().id).is_some());
}

#[tokio::test]
async fn the_upstream_authority_of_the_old_ca_can_be_tainted_and_revoked_and_no_other() {
    let (world, above) = below();
    let mut server = world.boot().await;
    let (first, local) = (above.root_id(0), server.x509(Stage::Active).unwrap().id);
    for order in [Order::TaintUpstream(first.clone()), Order::RevokeUpstream(first.clone())] {
        assert!(matches!(server.told(order).await, Err(OrderError::Active)));
    }
    above.add_root();
    let prepared = server.told(Order::Prepare(Family::X509)).await.unwrap().unwrap();
    assert_eq!(prepared.upstream_id, above.root_id(1));
    let early = server.told(Order::TaintUpstream(above.root_id(1))).await;
    assert!(matches!(early, Err(OrderError::Stage(Stage::Prepared))));
    server.told(Order::Activate(Family::X509, prepared.id)).await.unwrap();
    for order in [Order::Taint(Family::X509, local.clone()), Order::Revoke(Family::X509, local)] {
        assert!(matches!(server.told(order).await, Err(OrderError::Upstream)));
    }
    let early = server.told(Order::RevokeUpstream(first.clone())).await;
    assert!(matches!(early, Err(OrderError::NotTainted(_))));
    server.told(Order::TaintUpstream(first.clone())).await.unwrap();
    server.told(Order::RevokeUpstream(first)).await.unwrap();
    assert_eq!(server.bundle().x509_authorities().len(), 1);
}
