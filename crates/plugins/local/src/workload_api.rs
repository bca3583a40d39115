//! The Workload API of an agent, as its client.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use proto::workload::{X509svid, X509svidRequest};
use spiffe::endpoint::{Place, WORKLOAD_HEADER, WorkloadEndpoint, WorkloadEndpointError};
use spiffe::x509::X509Svid;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use zeroize::Zeroizing;

use crate::x509pop::{CredentialError, Credentials, Source};

/// How long the other agent may take. One that refuses is not asked again: whoever wants the node attested is.
const PATIENCE: Duration = Duration::from_secs(30);
/// The node's certificate from the Workload API of another agent, the one of a cloud or of an outer trust domain
/// (`spiffe_endpoint_socket`): the first X.509-SVID that it gives.
pub struct WorkloadApi {
    address: WorkloadEndpoint,
}

/// Why an address is not that of a Workload API.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("spiffe_endpoint_socket \"{address}\" is no address of a Workload API: {why}")]
pub struct AddressError {
    address: String,
    why: WorkloadEndpointError,
}

impl WorkloadApi {
    /// At `unix:///path/to/socket` or `tcp://ip:port`, as SPIFFE Workload Endpoint §4 has addresses. Nothing is
    /// connected yet.
    pub fn at(address: &str) -> Result<Self, AddressError> {
        let failed = |why| AddressError { address: address.to_owned(), why };
        Ok(Self { address: WorkloadEndpoint::parse(address).map_err(failed)? })
    }

    async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        match self.address.place() {
            Place::Tcp(address) => Endpoint::from_shared(format!("http://{address}"))?.connect().await,
            Place::Unix(path) => {
                let path = path.to_owned();
                let connector = tower::service_fn(move |_: Uri| {
                    let path = path.clone();
                    async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
                });
                // not looked up: the connector knows where to go
                Endpoint::from_static("http://localhost").connect_with_connector(connector).await
            }
        }
    }

    /// The first X.509-SVID that it gives, as it came; the caller wipes the key. Refused or late is a status.
    pub(crate) async fn identity(&self) -> Result<X509svid, Status> {
        let answer = tokio::time::timeout(PATIENCE, self.ask()).await;
        answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("it does not answer")))
    }

    async fn ask(&self) -> Result<X509svid, Status> {
        let channel = self.connect().await.map_err(|cause| Status::unavailable(with_causes(&cause)))?;
        let mut request = Request::new(X509svidRequest {});
        request
            .metadata_mut()
            .insert(WORKLOAD_HEADER.0, tonic::metadata::MetadataValue::from_static(WORKLOAD_HEADER.1));
        let mut answers = SpiffeWorkloadApiClient::new(channel).fetch_x509svid(request).await?.into_inner();
        let answer = answers.message().await?.ok_or_else(|| Status::unavailable("it closed the stream"))?;
        answer.svids.into_iter().next().ok_or_else(|| Status::internal("it gave no SVID"))
    }

    async fn credentials(&self) -> Result<Credentials, Status> {
        let svid = self.identity().await?;
        let key = Zeroizing::new(svid.x509_svid_key);
        let chain = X509Svid::parse_concatenated(&svid.x509_svid)
            .map_err(|cause| Status::internal(format!("it gave a malformed SVID: {cause}")))?;
        Ok(Credentials { chain: chain.chain().iter().map(|it| it.der().to_vec()).collect(), key })
    }
}

#[async_trait]
impl Source for WorkloadApi {
    async fn fetch(&self) -> Result<Credentials, CredentialError> {
        self.credentials()
            .await
            .map_err(|why| CredentialError::Fetch(format!("{} ({})", why.message(), why.code())))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_a_socket_or_of_an_ip() {
        for good in ["unix:///run/a.sock", "unix:/run/a.sock", "tcp://127.0.0.1:8081", "tcp://[::1]:8081"] {
            assert!(WorkloadApi::at(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/run/a.sock",
            "unix://a.sock",
            "unix:",
            "tcp://localhost:1",
            "tcp://1.2.3.4",
            "tcp://1.2.3.4:0",
            "tcp://1.2.3.4:5/",
            "http://1.2.3.4:5",
            "unix:///run/a.sock?x",
        ] {
            assert!(WorkloadApi::at(bad).is_err(), "{bad}");
        }
    }
}
