//! Every command has the flags that SPIRE's has, as its help shows them, and no others.

use kit::flags::Command;

const SERVER: &[(&str, &str)] = &[
    ("healthcheck", "instance shallow socketPath verbose"),
    ("token generate", "instance output socketPath spiffeID ttl"),
    (
        "agent list",
        "attestationType banned canReattest expiresBefore instance matchSelectorsOn output selector socketPath",
    ),
    ("agent show", "instance output socketPath spiffeID"),
    (
        "agent count",
        "attestationType banned canReattest expiresBefore instance matchSelectorsOn output selector socketPath",
    ),
    ("agent ban", "instance output socketPath spiffeID"),
    ("agent evict", "instance output socketPath spiffeID"),
    (
        "entry create",
        "admin data disableX509SVIDPrefetch dns downstream entryExpiry entryID federatesWith hint instance jwtSVIDIncludeJTI jwtSVIDTTL node output parentID selector socketPath spiffeID storeSVID x509SVIDTTL",
    ),
    (
        "entry show",
        "downstream entryID federatesWith hint instance matchFederatesWithOn matchSelectorsOn output parentID selector socketPath spiffeID",
    ),
    (
        "entry update",
        "admin data disableX509SVIDPrefetch dns downstream entryExpiry entryID federatesWith hint instance jwtSVIDIncludeJTI jwtSVIDTTL output parentID selector socketPath spiffeID storeSVID x509SVIDTTL",
    ),
    ("entry delete", "entryID file instance output socketPath"),
    (
        "entry count",
        "downstream federatesWith hint instance matchFederatesWithOn matchSelectorsOn output parentID selector socketPath spiffeID",
    ),
    ("bundle show", "format instance output socketPath"),
    ("bundle set", "format id instance output path socketPath"),
    ("bundle list", "format id instance output socketPath"),
    ("bundle delete", "id instance mode output socketPath"),
    ("bundle count", "instance output socketPath"),
    ("agent purge", "dryRun expiredFor instance output socketPath"),
    (
        "federation create",
        "bundleEndpointProfile bundleEndpointURL data endpointSpiffeID instance output socketPath trustDomain trustDomainBundleFormat trustDomainBundlePath",
    ),
    (
        "federation update",
        "bundleEndpointProfile bundleEndpointURL data endpointSpiffeID instance output socketPath trustDomain trustDomainBundleFormat trustDomainBundlePath",
    ),
    ("federation delete", "id instance output socketPath"),
    ("federation refresh", "id instance output socketPath"),
    ("federation list", "instance output socketPath"),
    ("federation show", "instance output socketPath trustDomain"),
    ("debug getinfo", "instance output socketPath"),
    ("logger get", "instance output socketPath"),
    ("logger set", "instance level output socketPath"),
    ("logger reset", "instance output socketPath"),
    ("x509 mint", "dns instance output socketPath spiffeID ttl write"),
    ("jwt mint", "audience instance output socketPath spiffeID ttl write"),
    ("wit mint", "instance keyType output signingAlgorithm socketPath spiffeID ttl write"),
    ("localauthority x509 show", "instance output socketPath"),
    ("localauthority jwt show", "instance output socketPath"),
    ("localauthority x509 prepare", "instance output socketPath"),
    ("localauthority jwt prepare", "instance output socketPath"),
    ("localauthority x509 activate", "authorityID instance output socketPath"),
    ("localauthority jwt activate", "authorityID instance output socketPath"),
    ("localauthority x509 taint", "authorityID instance output socketPath"),
    ("localauthority jwt taint", "authorityID instance output socketPath"),
    ("localauthority x509 revoke", "authorityID instance output socketPath"),
    ("localauthority jwt revoke", "authorityID instance output socketPath"),
    ("upstreamauthority taint", "instance output socketPath subjectKeyID"),
    ("upstreamauthority revoke", "instance output socketPath subjectKeyID"),
];

const AGENT: &[(&str, &str)] = &[
    ("healthcheck", "instance shallow socketPath verbose"),
    ("api fetch jwt", "audience format instance output socketPath spiffeID timeout"),
    ("api fetch x509", "instance output silent socketPath timeout write"),
    ("api validate jwt", "audience instance output socketPath svid timeout"),
    ("api watch", "instance socketPath"),
    ("api fetch", "instance output silent socketPath timeout write"),
];

fn check(commands: Vec<&'static Command>, expected: &[(&str, &str)]) {
    assert_eq!(commands.len(), expected.len());
    for (path, names) in expected {
        let command =
            commands.iter().find(|c| c.path == *path).unwrap_or_else(|| panic!("{path} is missing"));
        let mut flags: Vec<_> = command.flags.iter().copied().flatten().collect();
        flags.sort_by_key(|flag| flag.name);
        assert_eq!(flags.iter().map(|flag| flag.name).collect::<Vec<_>>().join(" "), *names, "{path}");
        assert!(flags.iter().all(|flag| !flag.help.is_empty()) && !command.summary.is_empty(), "{path}");
        // Reads every default.
        kit::flags::parse(command.flags, &[]).unwrap();
    }
}

#[test]
fn the_servers_commands_have_spires_flags() {
    check(crate::server_commands().collect(), SERVER);
}

#[test]
fn the_agents_commands_have_spires_flags() {
    check(crate::agent_commands().collect(), AGENT);
}
