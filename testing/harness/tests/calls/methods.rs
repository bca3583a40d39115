//! The methods of a server, as its descriptors have them.

use prost::Message as _;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// `/package.Service/Method`
    pub(crate) path: String,
}

/// All methods of SPIRE's server services and of health.
pub(crate) fn all() -> Vec<Method> {
    let set = prost_types::FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
    let mut methods = Vec::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("spire.api.server.")) {
        for service in &file.service {
            let path = |name: &str| format!("/{}.{}/{name}", file.package(), service.name());
            methods.extend(service.method.iter().map(|method| Method { path: path(method.name()) }));
        }
    }
    for name in ["Check", "List", "Watch"] {
        methods.push(Method { path: format!("/grpc.health.v1.Health/{name}") });
    }
    methods
}
