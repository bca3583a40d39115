//! What Envoys are started with.

use std::fmt::Write as _;
use std::path::Path;

const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

/// How an Envoy asks for secrets.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    /// Each answer has all.
    World,
    /// Answers are differences.
    Delta,
}

impl Protocol {
    fn source(self) -> String {
        let kind = match self {
            Self::World => "GRPC",
            Self::Delta => "DELTA_GRPC",
        };
        format!(
            "{{ resource_api_version: V3, api_config_source: {{ api_type: {kind}, transport_api_version: V3, \
             grpc_services: [ {{ envoy_grpc: {{ cluster_name: sds }} }} ] }} }}"
        )
    }
}

/// Who an Envoy is, and whom it takes for its peer.
pub(crate) struct Identity<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) protocol: Protocol,
    /// The name of the secret that is its own.
    pub(crate) own: &'a str,
    /// The name of the secret that it verifies peers by.
    pub(crate) roots: &'a str,
    pub(crate) peer: &'a str,
}

impl Identity<'_> {
    fn context(&self) -> String {
        let (own, roots, peer, source) = (self.own, self.roots, self.peer, self.protocol.source());
        format!(
            "common_tls_context: {{ tls_certificate_sds_secret_configs: [ {{ name: \"{own}\", sds_config: {source} }} ], \
             combined_validation_context: {{ default_validation_context: {{ match_typed_subject_alt_names: [ {{ \
             san_type: URI, matcher: {{ exact: \"{peer}\" }} }} ] }}, validation_context_sds_secret_config: {{ name: \
             \"{roots}\", sds_config: {source} }} }} }}"
        )
    }

    fn node(&self) -> String {
        format!("node: {{ id: \"{}\", cluster: test }}\n", self.own)
    }

    fn cluster(&self) -> String {
        format!(
            "  - name: sds\n    connect_timeout: 1s\n    type: STATIC\n    typed_extension_protocol_options:\n      \
             envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n        \"@type\": \
             type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n        \
             explicit_http_config: {{ http2_protocol_options: {{}} }}\n    load_assignment: {{ cluster_name: sds, \
             endpoints: [ {{ lb_endpoints: [ {{ endpoint: {{ address: {{ pipe: {{ path: \"{}\" }} }} }} }} ] }} ] }}\n",
            self.socket.display()
        )
    }
}

fn listener(name: &str, socket: &str, filters: &str, route: &str, headers: &str) -> String {
    format!(
        "  - name: {name}\n    address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}\n    \
         filter_chains:\n    - filters:\n      - name: http\n        typed_config:\n          \"@type\": \
         type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
         stat_prefix: http\n          route_config: {{ response_headers_to_add: [ {headers} ], virtual_hosts: [ {{ \
         name: all, domains: [\"*\"], routes: [ {{ match: {{ prefix: \"/\" }}, {route} }} ] }} ] }}\n          \
         http_filters: [ {filters} {{ name: router, typed_config: {{ \"@type\": \
         type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }} }} ]\n{socket}"
    )
}

fn header(name: &str, value: &str) -> String {
    format!("{{ header: {{ key: {name}, value: \"{value}\" }} }}")
}

/// One that ends mutual TLS, on listener `tls`, and says in `x-client` who called. Each connection shows its certificate
/// anew.
pub(crate) fn back(identity: &Identity<'_>) -> String {
    let socket = format!(
        "      transport_socket: {{ name: tls, typed_config: {{ \"@type\": {TLS}.DownstreamTlsContext, \
         require_client_certificate: true, disable_stateless_session_resumption: true, \
         disable_stateful_session_resumption: true, {} }} }}\n",
        identity.context()
    );
    let route = "direct_response: { status: 200, body: { inline_string: ok } }";
    let listener = listener("tls", &socket, "", route, &header("x-client", "%DOWNSTREAM_PEER_URI_SAN%"));
    format!(
        "{}static_resources:\n  listeners:\n{listener}  clusters:\n{}",
        identity.node(),
        identity.cluster()
    )
}

/// One that takes plain HTTP on listener `plain` and begins mutual TLS to a port, a connection for each request, and says in
/// `x-server` who answered.
pub(crate) fn front(identity: &Identity<'_>, port: u16) -> String {
    let mut text = identity.node();
    let listener =
        listener("plain", "", "", "route: { cluster: back }", &header("x-server", "%UPSTREAM_PEER_URI_SAN%"));
    let _ = write!(
        text,
        "static_resources:\n  listeners:\n{listener}  clusters:\n{}  - name: back\n    connect_timeout: 10s\n    type: \
         STATIC\n    typed_extension_protocol_options:\n      \
         envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n        \"@type\": \
         type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n        explicit_http_config: {{ \
         http_protocol_options: {{}} }}\n        common_http_protocol_options: {{ max_requests_per_connection: 1 }}\n    \
         load_assignment: {{ cluster_name: back, endpoints: [ {{ lb_endpoints: [ {{ endpoint: {{ address: {{ \
         socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }} }} ] }} ] }}\n    transport_socket: {{ \
         name: tls, typed_config: {{ \"@type\": {TLS}.UpstreamTlsContext, max_session_keys: 0, {} }} }}\n",
        identity.cluster(),
        identity.context()
    );
    text
}

/// One that wants a JWT-SVID for audience `envoy`: below `/remote` by the JWKS that a port serves, below `/local` by that in
/// a file. It says in `x-subject` whose it was.
pub(crate) fn jwt(jwks_port: u16, file: &Path) -> String {
    let provider = |source: &str| {
        format!(
            "{{ audiences: [ envoy ], {source}, claim_to_headers: [ {{ header_name: x-sub, claim_name: sub }} ] }}"
        )
    };
    let remote = provider(&format!(
        "remote_jwks: {{ http_uri: {{ uri: \"http://127.0.0.1:{jwks_port}/jwks\", cluster: jwks, timeout: 5s }}, \
         cache_duration: 1s }}"
    ));
    let local = provider(&format!("local_jwks: {{ filename: \"{}\" }}", file.display()));
    let filter = format!(
        "{{ name: jwt, typed_config: {{ \"@type\": \
         type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication, providers: {{ remote: \
         {remote}, local: {local} }}, rules: [ {{ match: {{ prefix: /remote }}, requires: {{ provider_name: remote }} \
         }}, {{ match: {{ prefix: /local }}, requires: {{ provider_name: local }} }} ] }} }},"
    );
    let route = "direct_response: { status: 200, body: { inline_string: ok } }";
    let listener = listener("plain", "", &filter, route, &header("x-subject", "%REQ(x-sub)%"));
    format!(
        "static_resources:\n  listeners:\n{listener}  clusters:\n  - name: jwks\n    connect_timeout: 5s\n    type: \
         STATIC\n    load_assignment: {{ cluster_name: jwks, endpoints: [ {{ lb_endpoints: [ {{ endpoint: {{ address: \
         {{ socket_address: {{ address: 127.0.0.1, port_value: {jwks_port} }} }} }} }} ] }} ] }}\n"
    )
}
