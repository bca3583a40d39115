use super::*;

#[tokio::test]
async fn the_first_start_makes_authorities_and_an_identity() {
    let world = World::new();
    let server = world.boot().await;
    let (x509, jwt) = (server.x509(Stage::Active).unwrap(), server.jwt(Stage::Active).unwrap());
    assert_eq!((x509.slot, jwt.slot), (Slot::A, Slot::A));
    assert_eq!(x509.expires_at, world.clock.now() + 24 * HOUR);
    let bundle = server.bundle();
    assert_eq!((bundle.x509_authorities().len(), bundle.jwt_authorities().len(), bundle.sequence), (1, 1, 1));
    assert_eq!(bundle.jwt_authorities()[0].key_id, jwt.id);
    let identity = server.authorities.server_identity().get().unwrap();
    assert_eq!(identity.svid().id().as_str(), "spiffe://example.org/spire/server");
    let svid = server.agent_svid(&world).await;
    assert!(believed(&svid, &bundle, world.clock.now()));
}

#[tokio::test]
async fn a_successor_is_published_at_half_life_and_takes_over_at_five_sixths() {
    let world = World::new();
    let mut server = world.boot().await;
    let first = server.x509(Stage::Active).unwrap();
    world.hand.forward(12 * HOUR - Duration::from_secs(1));
    server.keeper.step().await;
    assert_eq!(server.x509(Stage::Prepared), None);

    world.hand.forward(Duration::from_secs(2));
    server.keeper.step().await;
    let second = server.x509(Stage::Prepared).unwrap();
    assert_eq!((second.slot, server.bundle().x509_authorities().len()), (Slot::B, 2));
    assert_eq!(server.jwt(Stage::Prepared).unwrap().slot, Slot::B);
    assert_eq!(server.x509(Stage::Active), Some(first.clone()));
    let of_first = server.agent_svid(&world).await;

    world.hand.forward(8 * HOUR);
    server.keeper.step().await;
    assert_eq!(server.x509(Stage::Active).unwrap().id, second.id);
    assert_eq!(server.x509(Stage::Old).unwrap().id, first.id);
    let of_second = server.agent_svid(&world).await;
    assert_ne!(of_first.leaf().issuer_der(), of_second.leaf().issuer_der());
    let bundle = server.bundle();
    assert!(believed(&of_second, &bundle, world.clock.now()));
    assert!(believed(&of_first, &bundle, of_first.expires_at() - Duration::from_secs(1)));
}

#[tokio::test]
async fn ten_rotations_never_leave_an_svid_unverifiable_and_old_authorities_go_after_a_day() {
    let world = World::new();
    let mut server = world.boot().await;
    let mut live: Vec<AgentSvid> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let published = server.bundle();
        server.keeper.step().await;
        let active = server.x509(Stage::Active).unwrap();
        if seen.insert(active.id.clone()) && seen.len() > 1 {
            let known =
                published.x509_authorities().iter().any(|a| x509::authority_id(&a.certificate) == active.id);
            assert!(known, "an authority signs that was published in the same step");
        }
        let now = world.clock.now();
        live.retain(|svid| svid.expires_at() > now);
        live.push(server.agent_svid(&world).await);
        assert!(live.iter().all(|svid| believed(svid, &server.bundle(), now)));
        assert!(server.bundle().x509_authorities().len() <= 5, "{:?}", server.bundle());
        world.hand.forward(HOUR / 2);
    }
    assert!(seen.len() >= 10, "{} authorities", seen.len());
    let oldest = server.bundle().x509_authorities()[0].certificate.not_after();
    assert!(oldest + 24 * HOUR + 6 * HOUR > world.clock.now());
}

#[tokio::test]
async fn a_bundle_whose_authorities_of_a_kind_have_all_ended_is_not_emptied() {
    let world = World::new();
    let server = world.boot().await;
    let first = server.bundle();
    let late = world.clock.now() + 24 * HOUR + 25 * HOUR;
    prune::prune_bundle(&server.registry, &td(), late).await.unwrap();
    assert_eq!(server.bundle(), first, "nobody has renewed it");
    // The same with one sound X.509 authority: its JWT keys have all ended.
    let newer = World { clock: Clock::by_hand(late).0, ..World::new() }.boot().await.bundle();
    let add = |bundle: &mut Bundle| bundle.push_x509(newer.x509_authorities()[0].clone());
    amend(&server.registry, &td(), add, Vec::new()).await.unwrap();
    prune::prune_bundle(&server.registry, &td(), late).await.unwrap();
    assert_eq!(server.bundle().x509_authorities().len(), 2);
    // And with a sound key as well, what has ended for more than a day goes, and its number is the next.
    let add = |bundle: &mut Bundle| bundle.push_jwt(newer.jwt_authorities()[0].clone());
    let whole = amend(&server.registry, &td(), add, Vec::new()).await.unwrap();
    prune::prune_bundle(&server.registry, &td(), late).await.unwrap();
    let pruned = server.bundle();
    assert_eq!(pruned.x509_authorities(), newer.x509_authorities());
    assert_eq!(pruned.jwt_authorities(), newer.jwt_authorities());
    assert_eq!(pruned.sequence, whole.sequence + 1);
}

#[tokio::test]
async fn an_authority_of_twenty_seconds_rotates_by_its_own_deadlines() {
    let ca_ttl = Duration::from_secs(20);
    let world = World::with(AuthoritySettings {
        ca_ttl,
        x509_svid_ttl: Duration::from_secs(5),
        ..Default::default()
    });
    let mut server = world.boot().await;
    let start = world.clock.now();
    let mut seen = std::collections::BTreeSet::new();
    while world.clock.now() < start + Duration::from_secs(300) {
        let due = server.keeper.step().await;
        let active = server.x509(Stage::Active).unwrap();
        assert!(active.expires_at > world.clock.now() + Duration::from_secs(3), "{active:?}");
        seen.insert(active.id);
        assert!(believed(&server.agent_svid(&world).await, &server.bundle(), world.clock.now()));
        world.wait_until(due);
    }
    // Each is prepared ten seconds into its predecessor's life, so one takes over every ten seconds.
    assert!((29..=32).contains(&seen.len()), "{} authorities", seen.len());
}

#[tokio::test]
async fn a_machine_that_slept_through_everything_wakes_up_able_to_sign() {
    let world = World::new();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    world.hand.forward(1000 * HOUR);
    let id = SpiffeId::new(&td(), "/spire/agent/a").unwrap();
    let proof = Attested::vouched_by("test", id, Selectors::default(), true, world.clock.now());
    let ended = server.authorities.sign_agent_svid(&proof, csr());
    assert!(matches!(ended.await, Err(SignError::AuthorityEnded(_))));
    server.keeper.step().await;
    assert!(believed(&server.agent_svid(&world).await, &server.bundle(), world.clock.now()));
    let identity = server.authorities.server_identity().get().unwrap();
    assert!(identity.svid().leaf().not_after() > world.clock.now());
}

#[tokio::test]
async fn the_servers_own_svid_is_renewed_at_half_life() {
    let world = World::new();
    let mut server = world.boot().await;
    let serial =
        |server: &Server| server.authorities.server_identity().get().unwrap().svid().leaf().serial_decimal();
    let first = serial(&server);
    world.hand.forward(Duration::from_secs(29 * 60));
    server.keeper.step().await;
    assert_eq!(serial(&server), first);
    world.hand.forward(Duration::from_secs(2 * 60));
    server.keeper.step().await;
    assert_ne!(serial(&server), first);
}

#[tokio::test]
async fn a_server_without_jwt_svids_makes_no_jwt_key() {
    let world = World::with(AuthoritySettings { jwt_svids: JwtSvids::Disabled, ..Default::default() });
    let mut server = world.boot().await;
    world.hand.forward(21 * HOUR);
    server.keeper.step().await;
    assert!(server.bundle().jwt_authorities().is_empty());
    assert!(server.authorities.states().jwt.is_empty());
    assert!(matches!(server.authorities.jwt(), Err(SignError::JwtDisabled)));
}

#[tokio::test]
async fn a_server_at_rest_asks_nothing_of_the_database() {
    let world = World::new();
    let mut server = world.boot().await;
    let before = server.registry.statements();
    for _ in 0..100 {
        server.keeper.step().await;
        world.hand.forward(Duration::from_secs(60));
    }
    assert_eq!(server.registry.statements(), before);
}

#[tokio::test(start_paused = true)]
async fn the_task_wakes_by_itself_and_ends_when_told() {
    let world = World::new();
    let Server { authorities, keeper, registry: _registry } = world.boot().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(keeper.run(stop.clone()));
    world.hand.forward(12 * HOUR + Duration::from_secs(1));
    let prepared = || authorities.states().x509.iter().any(|a| a.stage == Stage::Prepared);
    while !prepared() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stop.cancel();
    task.await.unwrap();
    authorities.run(stop).await;
}
