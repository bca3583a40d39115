//! Tokens that name a key.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use spiffe::bundle::Bundle;
use spiffe::jws::Jws;
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::wit::{ConfirmationKey, Lifespan, Wit, WitClaims, WitIssuer};
use spiffe::{SpiffeId, TrustDomain};

use super::Pair;
use crate::fault::Fault;

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;

pub(super) struct World {
    signer: Arc<PrivateKey>,
    issuer: WitIssuer,
    bundle: Bundle,
    claims: WitClaims,
    token: String,
    message: Vec<u8>,
    jws: Jws,
    now: SystemTime,
}

impl World {
    pub(super) fn new() -> Result<Self, Fault> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let td = TrustDomain::parse("example.org").map_err(Fault::credentials)?;
        let key = || PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials);
        let (signer, workload) = (Arc::new(key()?), key()?);
        let issuer =
            WitIssuer::named(td.clone(), "w".to_owned(), signer.clone()).map_err(Fault::credentials)?;
        let mut bundle = Bundle::new(td.clone());
        bundle.push_wit(issuer.authority()).map_err(Fault::credentials)?;
        let claims = WitClaims {
            subject: SpiffeId::new(&td, "/ns/default/sa/web").map_err(Fault::credentials)?,
            confirmation: ConfirmationKey::usual(workload.public().clone()).map_err(Fault::credentials)?,
            expires_at: now + Duration::from_secs(3600),
            not_before: None,
            issued_at: Some(now),
            issuer: None,
            jti: None,
        };
        let token = issuer.issue(&claims).map_err(Fault::credentials)?;
        let message = token.rsplit_once('.').map_or(&*token, |(signed, _)| signed).as_bytes().to_vec();
        let jws = Jws::parse_unverified(&token).map_err(Fault::credentials)?;
        Ok(Self { signer, issuer, bundle, claims, token, message, jws, now })
    }

    pub(super) fn pairs(&self) -> Vec<Pair<'_>> {
        vec![
            Pair::new(
                "sign a WIT-SVID",
                || drop(black_box(self.issuer.issue(&self.claims).ok())),
                || drop(black_box(self.signer.sign(ALG, black_box(&self.message)).ok())),
            ),
            Pair::new(
                "verify a WIT-SVID",
                || drop(black_box(Wit::verify(&self.token, &self.bundle, Lifespan::AsIssued, self.now).ok())),
                || drop(black_box(black_box(&self.jws).verify(self.signer.public()))),
            ),
            Pair::alone("parse a WIT-SVID and the key in it", || {
                drop(black_box(Wit::parse_unverified(black_box(&self.token)).ok()));
            }),
        ]
    }
}
