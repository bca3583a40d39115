//! Secrets as they travel: written field by field into one buffer of the right size, which is wiped when it is dropped, so
//! that no second copy of a private key is left behind. What is written is what `proto/envoy` describes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::bytes::Bytes;
use spiffe::pem;
use zeroize::Zeroize as _;

use super::choice::{Choice, Material};
use super::node::Form;
use crate::cache::frame::{Field, Nested, Part, frame};

const SECRET: &[u8] = b"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const VALIDATOR_CONFIG: &[u8] =
    b"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";
const VALIDATOR: &[u8] = b"envoy.tls.cert_validator.spiffe";

/// How many bytes go into a line of PEM, and how many characters they become.
const LINE: (usize, usize) = (48, 64);

/// `DiscoveryResponse`.
pub(super) fn response(version: &str, nonce: &str, type_url: &str, chosen: &[Choice]) -> Bytes {
    let resources: Vec<_> = chosen.iter().map(|one| Nested(2, any(one))).collect();
    let head = Field(1, version.as_bytes());
    let tail = [Field(4, type_url.as_bytes()), Field(5, nonce.as_bytes())];
    frame(&(head, (resources, tail)))
}

/// `DeltaDiscoveryResponse`.
pub(super) fn delta(
    version: &str,
    nonce: &str,
    type_url: &str,
    changed: &[(Choice, String)],
    removed: &[String],
) -> Bytes {
    let resources: Vec<_> = changed.iter().map(|(one, version)| Nested(2, resource(one, version))).collect();
    let removed: Vec<_> = removed.iter().map(|name| Field(6, name.as_bytes())).collect();
    let tail = [Field(4, type_url.as_bytes()), Field(5, nonce.as_bytes())];
    frame(&(Field(1, version.as_bytes()), (resources, (tail, removed))))
}

/// A `Resource`.
fn resource<'a>(choice: &'a Choice, version: &'a str) -> impl Part + 'a {
    (Field(1, version.as_bytes()), (Nested(2, any(choice)), Field(3, choice.name.as_bytes())))
}

/// A `Secret` in an `Any`.
fn any(choice: &Choice) -> impl Part + '_ {
    (Field(1, SECRET), Nested(2, (Field(1, choice.name.as_bytes()), secret(choice))))
}

/// The one of a `Secret` that is set.
fn secret(choice: &Choice) -> Box<dyn Part + '_> {
    match &choice.of {
        Material::Key(held) => {
            let chain: Vec<_> = held.certificates().map(|der| Pem(pem::CERTIFICATE, der)).collect();
            let key = Pem(pem::PRIVATE_KEY, held.key());
            Box::new(Nested(2, (Nested(1, inline(chain)), Nested(2, inline(key)))))
        }
        Material::Trust(bundles, Form::Roots) => {
            let roots: Vec<_> = bundles.iter().flat_map(|bundle| roots(bundle)).collect();
            Box::new(Nested(4, Nested(1, inline(roots))))
        }
        Material::Trust(bundles, Form::Validator) => {
            let domains: Vec<_> = bundles
                .iter()
                .map(|bundle| {
                    let name = Field(1, bundle.trust_domain().as_str().as_bytes());
                    Nested(1, (name, Nested(2, inline(roots(bundle)))))
                })
                .collect();
            let config = (Field(1, VALIDATOR_CONFIG), Nested(2, domains));
            Box::new(Nested(4, Nested(12, (Field(1, VALIDATOR), Nested(2, config)))))
        }
    }
}

/// A `DataSource` of these bytes.
fn inline<P: Part>(bytes: P) -> Nested<P> {
    Nested(2, bytes)
}

fn roots(bundle: &spiffe::bundle::Bundle) -> Vec<Pem<'_>> {
    bundle.x509_authorities().iter().map(|one| Pem(pem::CERTIFICATE, one.certificate.der())).collect()
}

/// A block of PEM: its label and its bytes.
struct Pem<'a>(&'static str, &'a [u8]);

impl Part for Pem<'_> {
    fn size(&self) -> usize {
        let frame = "-----BEGIN -----\n".len() + "-----END -----\n".len() + 2 * self.0.len();
        frame + self.1.len().div_ceil(3) * 4 + self.1.len().div_ceil(LINE.0)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"-----BEGIN ");
        to.extend_from_slice(self.0.as_bytes());
        to.extend_from_slice(b"-----\n");
        let mut line = [0; LINE.1];
        for bytes in self.1.chunks(LINE.0) {
            // A line takes what 48 bytes become.
            let length = STANDARD.encode_slice(bytes, &mut line).unwrap_or_default();
            to.extend(line.iter().take(length));
            to.push(b'\n');
        }
        line.zeroize();
        to.extend_from_slice(b"-----END ");
        to.extend_from_slice(self.0.as_bytes());
        to.extend_from_slice(b"-----\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_written_as_the_crate_spiffe_does() {
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let der = vec![7; length];
            let part = Pem(pem::CERTIFICATE, &der);
            let mut written = Vec::new();
            part.write(&mut written);
            assert_eq!(String::from_utf8(written.clone()).unwrap(), pem::encode(pem::CERTIFICATE, &der));
            assert_eq!(written.len(), part.size(), "{length}");
        }
    }
}
