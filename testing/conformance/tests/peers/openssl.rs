//! OpenSSL: `openssl verify` for chains, and the raw signature of tokens. It knows nothing of SPIFFE, so of what must be
//! refused it is asked only about what RFC 5280 refuses, and about tokens that no key signed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use conformance::forge::der::{integer, sequence};
use conformance::kinds::input::{Bundles, Bytes, KeyEntry};
use conformance::kinds::jwt_svid;
use harness::Missing;
use serde::Deserialize;
use serde_json::Value;
use spiffe::jws::JwsError;
use spiffe::x509::Certificate;
use spiffe::{SpiffeId, TrustDomain};

use super::work::{Item, Verdict, Verdicts};

/// The checks whose refusals are RFC 5280's.
const PATH_CHECKS: [&str; 3] = ["X509-13/", "X509-16/", "X509-26/"];

/// Asks it about each item that it can judge.
pub fn judge(items: &[Item]) -> Result<Verdicts, Missing> {
    if Command::new("openssl").arg("version").output().is_err() {
        return Err(Missing::Tool("openssl is missing: install Debian's openssl".to_owned()));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut verdicts = Verdicts::new();
    for item in items {
        let verdict = match item.kind.as_str() {
            "x509-svid" if item.accept || PATH_CHECKS.iter().any(|check| item.name.starts_with(check)) => {
                chain(folder.path(), item)
            }
            // With lists, a list of each issuer must be there.
            "x509-svid-with-crls" if item.input["strict"] == true => chain(folder.path(), item),
            "jwt-svid" if item.accept || refused_by_signature(item) => token(folder.path(), item),
            _ => None,
        };
        let Some(verdict) = verdict else { continue };
        verdicts.insert(item.name.clone(), (item.clone(), verdict));
    }
    Ok(verdicts)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// What the kinds of X.509-SVIDs have in common.
#[derive(Deserialize)]
struct Chain {
    chain: Vec<Bytes>,
    bundles: Bundles,
    now: i64,
    #[serde(default)]
    crls: Vec<Bytes>,
}

/// That of the leaf, whose bundle alone counts: OpenSSL is not asked to find it.
fn trust_domain(input: &Chain) -> Option<TrustDomain> {
    let leaf = Certificate::parse(input.chain.first()?.0.clone()).ok()?;
    Some(SpiffeId::parse(leaf.uri_sans().first()?).ok()?.trust_domain())
}

/// `None` where it cannot be told which bundle counts.
fn chain(folder: &Path, item: &Item) -> Option<Verdict> {
    let input = Chain::deserialize(&item.input).unwrap();
    let own = trust_domain(&input)?;
    let roots = input.bundles.get(own.as_str()).map(|held| held.x509.clone());
    let roots: String = roots.unwrap_or_default().iter().map(|der| pem("CERTIFICATE", &der.0)).collect();
    let (leaf, between) = input.chain.split_first()?;
    let between: String = between.iter().map(|der| pem("CERTIFICATE", &der.0)).collect();
    let [a, b, c] = ["roots.pem", "between.pem", "leaf.pem"].map(|name| folder.join(name));
    fs::write(&a, roots).unwrap();
    fs::write(&b, &between).unwrap();
    fs::write(&c, pem("CERTIFICATE", &leaf.0)).unwrap();
    let mut command = Command::new("openssl");
    // 112 bits of security, as everyone else asks for; an authority of a bundle need not be a root.
    command.args([
        "verify",
        "-partial_chain",
        "-auth_level",
        "2",
        "-policy_check",
        "-no-CApath",
        "-no-CAstore",
    ]);
    command.args(["-attime", &input.now.to_string()]).arg("-CAfile").arg(&a);
    if !between.is_empty() {
        command.arg("-untrusted").arg(&b);
    }
    if !input.crls.is_empty() || item.kind == "x509-svid-with-crls" {
        let lists = folder.join("crls.pem");
        fs::write(&lists, input.crls.iter().map(|der| pem("X509 CRL", &der.0)).collect::<String>()).unwrap();
        command.arg("-crl_check_all").arg("-CRLfile").arg(&lists);
    }
    Some(said(&command.arg(&c).output().unwrap(), item))
}

/// An exit code of success is acceptance; OpenSSL knows no ID, so it is the one that it was asked about.
fn said(output: &Output, item: &Item) -> Verdict {
    match output.status.success() {
        true => Ok(item.id.clone().unwrap_or_else(|| "accepted".to_owned())),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
    }
}

/// Whether the keys are what a refused token fails by: what else is wrong with one, OpenSSL does not know.
fn refused_by_signature(item: &Item) -> bool {
    let by_key = JwsError::Signature.to_string();
    item.refusal.as_ref().is_some_and(|why| *why == by_key)
}

/// The raw signature by the keys of the subject's trust domain that have the token's key id, or by any of them if it names
/// none; the rest of a token is none of OpenSSL's business. `None` where there is no such key.
fn token(folder: &Path, item: &Item) -> Option<Verdict> {
    let input: jwt_svid::Members = serde_json::from_value(item.input.clone()).unwrap();
    let (signed, signature) = input.token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let part = |text| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (header, claims) = (part(header), part(claims));
    let alg = header["alg"].as_str().unwrap();
    let own = SpiffeId::parse(claims["sub"].as_str().unwrap()).unwrap().trust_domain();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    if alg.starts_with("ES") {
        let (r, s) = signature.split_at(signature.len() / 2);
        signature = sequence(&[&integer(r), &integer(s)]);
    }
    let [key_file, signature_file, signed_file] = ["key.pem", "signature", "signed"].map(|n| folder.join(n));
    fs::write(&signature_file, signature).unwrap();
    fs::write(&signed_file, signed).unwrap();
    let named = |key: &&KeyEntry| header["kid"].as_str().is_none_or(|kid| kid == key.kid);
    let mut last = None;
    for key in input.bundles.get(own.as_str()).iter().flat_map(|held| &held.jwt).filter(named) {
        fs::write(&key_file, pem("PUBLIC KEY", &key.spki.0)).unwrap();
        let mut command = Command::new("openssl");
        command.args(["dgst", &format!("-sha{}", &alg[2..])]);
        if alg.starts_with("PS") {
            command.args(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
        }
        command.arg("-verify").arg(&key_file).arg("-signature").arg(&signature_file).arg(&signed_file);
        last = Some(said(&command.output().unwrap(), item));
        if matches!(last, Some(Ok(_))) {
            break;
        }
    }
    last
}
