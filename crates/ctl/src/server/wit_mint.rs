//! `wit mint`.

use std::path::Path;

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::svid::v1::MintWitsvidRequest;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::types::Witsvid;
use serde_json::{Map, Value, json};
use spiffe::jwk::to_private_jwk;
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer as _};
use zeroize::Zeroizing;

use super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::file::{self, Readers};
use crate::output::{self, Form, print_json_unsorted};
use crate::pretty::svid::{capped, expiry};
use crate::terminal::Terminal;
use crate::{parse, text};

const FLAGS: &[Flag] = &[
    Flag::text("spiffeID", "The SPIFFE ID of the WIT-SVID"),
    Flag::text("keyType", "The type of the workload's key: ec-p256, ec-p384, rsa-2048 or rsa-4096")
        .or("ec-p256"),
    Flag::text("signingAlgorithm", "The algorithm with which the workload signs, such as ES256").or("ES256"),
    Flag::duration("ttl", "How long the WIT-SVID lives; 0s for the server's default"),
    Flag::folder("write", "The folder to write token and key to, instead of printing them"),
];

pub(super) static COMMAND: Command =
    command("wit mint", "Mints a WIT-SVID without an entry", &[SOCKET, output::FLAGS, FLAGS]).with(&[
        Example::new(
            "A token and the key that it is bound to, into a folder",
            "-spiffeID spiffe://example.org/script -write ./identity",
        ),
    ]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("spiffeID").ok_or_else(|| {
        Fault::Usage("spiffeID must be specified; say with -spiffeID whose SVID it is".to_owned())
    })?;
    let id = parse::id("SPIFFE ID", id)?;
    let ttl = values.duration("ttl");
    let seconds = parse::whole_seconds("TTL", ttl)?;
    let algorithm = values.text("signingAlgorithm");
    let key_type = key_type(values.text("keyType"), algorithm)?;
    let made = |cause: String| Fault::Make { what: "a key", cause };
    let key = PrivateKey::generate(key_type).map_err(|e| made(e.to_string()))?;
    let jwk = to_private_jwk(&key, None).map_err(|e| made(e.to_string()))?;

    let request = MintWitsvidRequest {
        id: Some(parse::message(&id)),
        public_key: key.public().spki_der().to_vec(),
        ttl: seconds,
        signing_algorithm: algorithm.to_owned(),
    };
    let mut client = SvidClient::new(dial(values, terminal).await?);
    let answer = client.mint_witsvid(request).await.map_err(Fault::call("unable to mint SVID: "))?;
    let svid = answer.into_inner().svid.unwrap_or_default();
    if svid.token.is_empty() {
        return Err(Fault::Answer("there is no token in it".to_owned()));
    }
    match expiry(&svid.token) {
        Some(end) if capped(end, ttl, terminal.clock.now()) => writeln!(
            terminal.err,
            "WIT-SVID lifetime was capped shorter than specified ttl; expires {:?}",
            text::rfc3339(end)
        )?,
        Some(_) => {}
        None => writeln!(terminal.err, "Unable to determine WIT-SVID lifetime: the token has no exp claim")?,
    }
    match (values.nonempty("write"), output::form(values)) {
        (Some(folder), _) => write(&svid, &jwk, Path::new(folder), terminal),
        (None, Form::Json) => Ok(print_json_unsorted(terminal.out, &document(&svid, &jwk))?),
        (None, Form::Pretty) => Ok(writeln!(terminal.out, "{}\n{}", svid.token, jwk.as_str())?),
    }
}

/// The type of key, which must be one that signs with the algorithm.
fn key_type(name: &str, algorithm: &str) -> Result<KeyType, Fault> {
    let unsupported = || Fault::Usage(format!("unsupported signing algorithm: {algorithm}"));
    let misfit = || {
        Fault::Usage(match algorithm.starts_with("ES") {
            true => format!("unsupported key type '{name}' for '{algorithm}' signing algorithm"),
            false => format!("unsupported key type '{name}' for signing algorithm '{algorithm}'"),
        })
    };
    let fits: &[KeyType] = match SigAlg::from_jws(algorithm) {
        None | Some(SigAlg::EcdsaP521Sha512) => return Err(unsupported()),
        Some(SigAlg::EcdsaP256Sha256) => &[KeyType::EcP256],
        Some(SigAlg::EcdsaP384Sha384) => &[KeyType::EcP384],
        Some(_) => &[KeyType::Rsa2048, KeyType::Rsa4096],
    };
    fits.iter().copied().find(|one| one.as_str() == name).ok_or_else(misfit)
}

fn write(svid: &Witsvid, jwk: &str, folder: &Path, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    for (name, what, content) in [("token", "WIT-SVID", svid.token.as_str()), ("key", "Private key", jwk)] {
        let path = folder.join(name);
        file::write(&path, content.as_bytes(), Readers::Owner)?;
        writeln!(terminal.out, "{what} written to {}", path.display())?;
    }
    Ok(())
}

/// Numbers are numbers and what is empty is left out here, as in SPIRE, unlike in its other answers.
fn document(svid: &Witsvid, jwk: &Zeroizing<String>) -> Value {
    let mut told = Map::new();
    told.insert("token".to_owned(), json!(svid.token));
    if let Some(id) = &svid.id {
        told.insert("id".to_owned(), json!({"trust_domain": id.trust_domain, "path": id.path}));
    }
    for (name, value) in [("expires_at", svid.expires_at), ("issued_at", svid.issued_at)] {
        if value != 0 {
            told.insert(name.to_owned(), json!(value));
        }
    }
    if !svid.hint.is_empty() {
        told.insert("hint".to_owned(), json!(svid.hint));
    }
    json!({"private_key": jwk.as_str(), "svid": told})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_type_must_fit_the_algorithm() {
        for (name, algorithm) in
            [("ec-p256", "ES256"), ("ec-p384", "ES384"), ("rsa-2048", "PS384"), ("rsa-4096", "RS256")]
        {
            assert_eq!(key_type(name, algorithm).unwrap().as_str(), name);
        }
        for (name, algorithm, said) in [
            ("ec-p384", "ES256", "unsupported key type 'ec-p384' for 'ES256' signing algorithm"),
            ("ec-p256", "RS256", "unsupported key type 'ec-p256' for signing algorithm 'RS256'"),
            ("ec-p521", "ES512", "unsupported signing algorithm: ES512"),
            ("ec-p256", "none", "unsupported signing algorithm: none"),
        ] {
            assert_eq!(key_type(name, algorithm).unwrap_err().to_string(), said);
        }
    }
}
