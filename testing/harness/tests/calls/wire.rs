//! Calls that know no message: bytes in, a status out.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use prost::bytes::{Buf as _, BufMut as _};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate chain, leaf first, with the leaf's key in PKCS#8.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Vec<u8>,
}

/// A channel over the admin socket.
pub(crate) async fn over_socket(path: &Path) -> Channel {
    Endpoint::from_shared(format!("unix:{}", path.display())).unwrap().connect().await.unwrap()
}

/// A channel over TLS that shows a certificate, if it has one. The server's own is not looked at.
pub(crate) fn over_tls(port: u16, shown: Option<Shown>) -> Channel {
    over_tls_after(port, shown, Ipv4Addr::LOCALHOST, Vec::new())
}

/// The same from this address of the machine, with these bytes before TLS begins.
pub(crate) fn over_tls_after(port: u16, shown: Option<Shown>, from: Ipv4Addr, first: Vec<u8>) -> Channel {
    let tls = connector(shown);
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(tower::service_fn(move |_| {
        let (tls, first) = (tls.clone(), first.clone());
        async move {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
            stream.write_all(&first).await?;
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            tls.connect(name, stream).await.map(TokioIo::new)
        }
    }))
}

/// TLS that shows a certificate, if it has one, and speaks HTTP/2.
pub(crate) fn connector(shown: Option<Shown>) -> TlsConnector {
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer));
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(Shown { chain, key }) => {
            let chain = chain.into_iter().map(CertificateDer::from).collect();
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.enable_sni = false;
    TlsConnector::from(Arc::new(config))
}

/// What came of a call without content: its status, or how the connection broke.
pub(crate) async fn call(channel: &Channel, method: &str) -> Result<(), Status> {
    call_with(channel, method, Vec::new()).await.map(|_| ())
}

/// The first message that a call answers.
pub(crate) async fn call_with(channel: &Channel, method: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    let asking = async {
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.map_err(|e| Status::unknown(e.to_string()))?;
        let request = Request::new(tokio_stream::once(message));
        let mut answers = grpc.streaming(request, method.parse().unwrap(), Raw).await?.into_inner();
        let first = answers.message().await?;
        // A call that went well ends well too.
        while answers.message().await?.is_some() {}
        Ok(first.unwrap_or_default())
    };
    let late = Status::new(Code::DeadlineExceeded, "the test waited long enough");
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Err(late))
}

/// Whether a connection to the socket of that path can be made at all.
pub(crate) async fn reachable(path: &Path) -> bool {
    UnixStream::connect(path).await.is_ok()
}

#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Messages as bytes.
#[derive(Clone, Copy)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}
