//! What a gRPC method is called among metrics (SPIRE 1.16).

/// What services are called when their names are too long to read.
const SHORT: [(&str, &str); 7] = [
    ("SpiffeWorkloadAPI", "WorkloadAPI"),
    ("envoy.service.secret.v3.SecretDiscoveryService", "SDS.v3"),
    ("grpc.health.v1.Health", "Health"),
    ("spire.api.server.logger.v1.Logger", "Logger"),
    ("spire.api.agent.logger.v1.Logger", "Logger"),
    ("spire.agent.debug.v1.Debug", "Debug"),
    ("spire.api.agent.delegatedidentity.v1.DelegatedIdentity", "DelegatedIdentity"),
];

/// The key of a method that comes as `/package.Service/Method`: `agent.v1.agent.attest_agent` for SPIRE's agent
/// service.
#[must_use]
pub fn method_name(path: &str) -> String {
    let (service, method) = path.strip_prefix('/').unwrap_or(path).split_once('/').unwrap_or((path, ""));
    let short = SHORT.iter().find(|(long, _)| *long == service).map(|(_, short)| *short);
    let service = short.unwrap_or_else(|| service.strip_prefix("spire.api.server.").unwrap_or(service));
    let method = match method {
        // The general rule would tear its name apart elsewhere; SPIRE made an exception.
        "SubscribeToX509SVIDs" => "subscribe_to_x509_svids".to_owned(),
        other => snake(other),
    };
    service.split('.').map(snake).chain([method]).collect::<Vec<_>>().join(".")
}

/// `AttestAgent` as `attest_agent`, `BatchNewX509SVID` as `batch_new_x509svid`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 8);
    for (index, letter) in letters.iter().copied().enumerate() {
        if !letter.is_alphanumeric() {
            out.push('_');
            continue;
        }
        let lower = |at: Option<&char>| at.is_some_and(|letter| letter.is_lowercase());
        let beside_lower = lower(letters.get(index + 1))
            || index.checked_sub(1).is_some_and(|before| lower(letters.get(before)));
        let inside = index > 0 && index + 1 < letters.len();
        if letter.is_uppercase() && inside && beside_lower && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
