use super::super::order::{Order, OrderError, Ordered};
use super::*;

impl Server {
    async fn order(&mut self, order: Order) -> Result<Option<AuthorityState>, OrderError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.keeper.obey(Ordered { order, answer }).await;
        answered.await.unwrap()
    }

    async fn forced_rotation(&mut self, family: Family) -> (String, String) {
        let active = |server: &Server| match family {
            Family::X509 => server.x509(Stage::Active).unwrap().id,
            Family::Jwt => server.jwt(Stage::Active).unwrap().id,
        };
        let old = active(self);
        let new = self.order(Order::Prepare(family)).await.unwrap().unwrap().id;
        assert_eq!(active(self), old, "prepared only");
        let activated = self.order(Order::Activate(family, new.clone())).await.unwrap().unwrap();
        assert_eq!((activated.id.as_str(), active(self)), (new.as_str(), new.clone()));
        (old, new)
    }
}

#[tokio::test]
async fn a_forced_rotation_ends_with_the_old_authority_gone_and_the_new_one_signing() {
    for family in [Family::X509, Family::Jwt] {
        let world = World::new();
        let mut server = world.boot().await;
        let before = server.agent_svid(&world).await;
        let (old, new) = server.forced_rotation(family).await;
        let sequence = server.bundle().sequence;
        server.order(Order::Taint(family, old.clone())).await.unwrap();
        assert_eq!(server.bundle().sequence, sequence + 1);
        server.order(Order::Revoke(family, old.clone())).await.unwrap();
        let (bundle, now) = (server.bundle(), world.clock.now());
        assert_eq!(bundle.sequence, sequence + 2);
        let x509 = bundle.x509_authorities().iter().map(|a| x509::authority_id(&a.certificate));
        let all: Vec<String> =
            x509.chain(bundle.jwt_authorities().iter().map(|a| a.key_id.clone())).collect();
        assert!(all.contains(&new) && !all.contains(&old), "{all:?}");
        assert!(believed(&server.agent_svid(&world).await, &bundle, now));
        assert_eq!(believed(&before, &bundle, now), family == Family::Jwt);
        // What was ordered outlives a restart.
        drop(server);
        let server = world.boot().await;
        let state = match family {
            Family::X509 => server.x509(Stage::Active),
            Family::Jwt => server.jwt(Stage::Active),
        };
        assert_eq!(state.unwrap().id, new);
    }
}

#[tokio::test]
async fn a_taint_costs_the_server_its_own_svid_at_the_next_step() {
    let world = World::new();
    let mut server = world.boot().await;
    let (old, _) = server.forced_rotation(Family::X509).await;
    let serial =
        |server: &Server| server.authorities.server_identity().get().unwrap().svid().leaf().serial_decimal();
    let before = serial(&server);
    server.keeper.step().await;
    assert_eq!(serial(&server), before, "an activation alone spoils nothing");
    server.order(Order::Taint(Family::X509, old)).await.unwrap();
    server.keeper.step().await;
    assert_ne!(serial(&server), before);
}

#[tokio::test]
async fn orders_out_of_turn_are_refused_and_change_nothing() {
    for family in [Family::X509, Family::Jwt] {
        let world = World::new();
        let mut server = world.boot().await;
        let active = match family {
            Family::X509 => server.x509(Stage::Active).unwrap().id,
            Family::Jwt => server.jwt(Stage::Active).unwrap().id,
        };
        let before = server.bundle();
        let none = String::new;
        let refused = [
            Order::Activate(family, none()),
            Order::Activate(family, active.clone()),
            Order::Activate(family, "unknown".into()),
            Order::Taint(family, none()),
            Order::Taint(family, active.clone()),
            Order::Taint(family, "unknown".into()),
            Order::Revoke(family, none()),
            Order::Revoke(family, active.clone()),
            Order::Revoke(family, "unknown".into()),
            Order::TaintUpstream(active.clone()),
            Order::RevokeUpstream(active.clone()),
        ];
        for order in refused {
            assert!(server.order(order.clone()).await.is_err(), "{order:?}");
        }
        assert_eq!(server.bundle().sequence, before.sequence);

        let prepared = server.order(Order::Prepare(family)).await.unwrap().unwrap().id;
        for order in [Order::Taint(family, prepared.clone()), Order::Revoke(family, prepared.clone())] {
            assert!(matches!(server.order(order).await, Err(OrderError::Stage(Stage::Prepared))));
        }
        server.order(Order::Activate(family, prepared.clone())).await.unwrap();
        let again = server.order(Order::Activate(family, active.clone())).await;
        assert!(matches!(again, Err(OrderError::Stage(Stage::Old))));
        let early = server.order(Order::Revoke(family, active.clone())).await;
        assert!(matches!(early, Err(OrderError::NotTainted(_))), "{early:?}");
        server.order(Order::Taint(family, active.clone())).await.unwrap();
        let twice = server.order(Order::Taint(family, active.clone())).await;
        assert!(matches!(twice, Err(OrderError::AlreadyTainted(_))));
        server.order(Order::Revoke(family, active.clone())).await.unwrap();
        let twice = server.order(Order::Revoke(family, active)).await;
        assert!(matches!(twice, Err(OrderError::NotInBundle { .. })));
    }
}

#[tokio::test]
async fn preparing_again_gives_up_what_was_prepared_before_and_a_restart_knows() {
    let world = World::new();
    let mut server = world.boot().await;
    let first = server.order(Order::Prepare(Family::X509)).await.unwrap().unwrap().id;
    let second = server.order(Order::Prepare(Family::X509)).await.unwrap().unwrap().id;
    assert_ne!(first, second);
    assert_eq!(server.x509(Stage::Prepared).unwrap().id, second);
    let gone = server.order(Order::Activate(Family::X509, first)).await;
    assert!(matches!(gone, Err(OrderError::Unknown)));
    drop(server);
    assert_eq!(world.boot().await.x509(Stage::Prepared).unwrap().id, second);
}

#[tokio::test]
async fn an_order_that_the_database_does_not_take_is_refused_and_can_be_given_again() {
    let world = World::new();
    let mut server = world.boot().await;
    world.log.fail_after(0);
    assert!(server.order(Order::Prepare(Family::X509)).await.is_err());
    assert_eq!(server.x509(Stage::Prepared), None);
    world.log.heal();
    let (old, _) = server.forced_rotation(Family::X509).await;
    world.log.fail_after(0);
    let refused = server.order(Order::Taint(Family::X509, old.clone())).await;
    assert!(matches!(refused, Err(OrderError::Registry(_))), "{refused:?}");
    world.log.heal();
    server.order(Order::Taint(Family::X509, old)).await.unwrap();
}

#[tokio::test]
async fn orders_through_the_handle_are_answered_by_the_running_keeper_and_refused_once_it_stopped() {
    let world = World::new();
    let Server { authorities, keeper, .. } = world.boot().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(keeper.run(stop.clone()));
    let grant = crate::authz::AdminGrant::unchecked();
    let prepared = authorities.prepare(&grant, Family::Jwt).await.unwrap();
    let shown = authorities.family(Family::Jwt).unwrap();
    assert_eq!(shown.iter().map(|s| s.stage).collect::<Vec<_>>(), [Stage::Active, Stage::Prepared]);
    authorities.activate(&grant, Family::Jwt, prepared.id).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    assert!(matches!(authorities.prepare(&grant, Family::Jwt).await, Err(OrderError::Stopped)));
}

#[tokio::test]
async fn without_jwt_svids_there_are_no_jwt_authorities_to_order() {
    let settings = AuthoritySettings { jwt_svids: JwtSvids::Disabled, ..AuthoritySettings::default() };
    let server = World::with(settings).boot().await;
    assert!(matches!(server.authorities.family(Family::Jwt), Err(OrderError::JwtDisabled)));
    let grant = crate::authz::AdminGrant::unchecked();
    let prepared = server.authorities.prepare(&grant, Family::Jwt).await;
    assert!(matches!(prepared, Err(OrderError::JwtDisabled)));
}
