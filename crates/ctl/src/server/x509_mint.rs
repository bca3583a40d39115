//! `x509 mint`.

use std::path::Path;

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::svid::v1::MintX509svidRequest;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use serde_json::{Value, json};
use spiffe::key::{KeyType, PrivateKey};
use spiffe::pem;
use spiffe::x509::Csr;

use super::{LONGEST_ANSWER, SOCKET, command, dial};
use crate::fault::Fault;
use crate::file::{self, Readers};
use crate::json::bytes;
use crate::output::{self, Form, print_json_unsorted};
use crate::pretty::svid::capped;
use crate::terminal::Terminal;
use crate::{parse, text};

const FLAGS: &[Flag] = &[
    Flag::text("spiffeID", "The SPIFFE ID of the X.509-SVID"),
    Flag::duration("ttl", "How long the X.509-SVID lives; 0s for the server's default"),
    Flag::list("dns", "A DNS name of the X.509-SVID; may stand several times"),
    Flag::folder(
        "write",
        "The folder to write svid.pem, key.pem and bundle.pem to, instead of printing them",
    ),
];

pub(super) static COMMAND: Command =
    command("x509 mint", "Mints an X.509-SVID without an entry", &[SOCKET, output::FLAGS, FLAGS]).with(&[
        Example::new(
            "Key, certificate and bundle into a folder",
            "-spiffeID spiffe://example.org/appliance -dns appliance.example.org -write ./identity",
        ),
    ]);

/// What was minted.
struct Minted {
    chain: Vec<Vec<u8>>,
    key: PrivateKey,
    roots: Vec<Vec<u8>>,
}

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("spiffeID").ok_or_else(|| {
        Fault::Usage("spiffeID must be specified; say with -spiffeID whose SVID it is".to_owned())
    })?;
    let id = parse::id("SPIFFE ID", id)?;
    let ttl = values.duration("ttl");
    let seconds = parse::whole_seconds("TTL", ttl)?;
    let key = PrivateKey::generate(KeyType::EcP256)
        .map_err(|e| Fault::Make { what: "a key", cause: e.to_string() })?;
    let csr = Csr::build(&key, Some(&id), values.list("dns"))
        .map_err(|e| Fault::Make { what: "a signing request", cause: e.to_string() })?;

    let channel = dial(values, terminal).await?;
    let request = MintX509svidRequest { csr, ttl: seconds };
    let doing = "unable to mint SVID: ";
    let answer = SvidClient::new(channel.clone()).mint_x509svid(request).await.map_err(Fault::call(doing))?;
    let svid = answer.into_inner().svid.unwrap_or_default();
    if svid.cert_chain.is_empty() {
        return Err(Fault::Answer("there is no certificate in it".to_owned()));
    }
    let mut bundles = BundleClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let doing = "unable to get bundle: ";
    let bundle =
        bundles.get_bundle(GetBundleRequest { output_mask: None }).await.map_err(Fault::call(doing))?;
    let roots: Vec<_> = bundle.into_inner().x509_authorities.into_iter().map(|a| a.asn1).collect();
    if roots.is_empty() {
        return Err(Fault::Answer("the bundle has no X.509 authority".to_owned()));
    }
    if capped(svid.expires_at, ttl, terminal.clock.now()) {
        writeln!(
            terminal.err,
            "X509-SVID lifetime was capped shorter than specified ttl; expires {:?}",
            text::rfc3339(svid.expires_at)
        )?;
    }

    let minted = Minted { chain: svid.cert_chain, key, roots };
    match (values.nonempty("write"), output::form(values)) {
        (Some(folder), _) => write(&minted, Path::new(folder), terminal),
        (None, Form::Json) => Ok(print_json_unsorted(terminal.out, &document(&minted))?),
        (None, Form::Pretty) => print(&minted, terminal),
    }
}

fn certificates(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| pem::encode(pem::CERTIFICATE, der)).collect()
}

fn write(minted: &Minted, folder: &Path, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let key = zeroize::Zeroizing::new(pem::encode(pem::PRIVATE_KEY, &minted.key.to_pkcs8()));
    let (chain, roots) = (certificates(&minted.chain), certificates(&minted.roots));
    for (name, what, content, readers) in [
        ("svid.pem", "X509-SVID", chain.as_bytes(), Readers::All),
        ("key.pem", "Private key", key.as_bytes(), Readers::Owner),
        ("bundle.pem", "Root CAs", roots.as_bytes(), Readers::All),
    ] {
        let path = folder.join(name);
        file::write(&path, content, readers)?;
        writeln!(terminal.out, "{what} written to {}", path.display())?;
    }
    Ok(())
}

fn print(minted: &Minted, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let key = zeroize::Zeroizing::new(pem::encode(pem::PRIVATE_KEY, &minted.key.to_pkcs8()));
    writeln!(terminal.out, "X509-SVID:\n{}", certificates(&minted.chain))?;
    writeln!(terminal.out, "Private key:\n{}", key.as_str())?;
    Ok(writeln!(terminal.out, "Root CAs:\n{}", certificates(&minted.roots))?)
}

fn document(minted: &Minted) -> Value {
    json!({
        "x509_svid": minted.chain.iter().map(|der| bytes(der)).collect::<Value>(),
        "private_key": bytes(&minted.key.to_pkcs8()),
        "root_cas": minted.roots.iter().map(|der| bytes(der)).collect::<Value>(),
    })
}
