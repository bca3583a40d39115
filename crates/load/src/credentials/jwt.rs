//! Tokens.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use spiffe::bundle::{Bundle, JwtAuthority};
use spiffe::jws::Jws;
use spiffe::jwt::{self, JwtSvid, JwtSvidClaims};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::{SpiffeId, TrustDomain};

use super::Pair;
use crate::fault::Fault;

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;
const AUDIENCE: &str = "spiffe://example.org/db";

pub(super) struct World {
    signer: PrivateKey,
    bundle: Bundle,
    claims: JwtSvidClaims,
    token: String,
    jws: Jws,
    now: SystemTime,
}

impl World {
    pub(super) fn new() -> Result<Self, Fault> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let td = TrustDomain::parse("example.org").map_err(Fault::credentials)?;
        let signer = PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials)?;
        let mut bundle = Bundle::new(td.clone());
        let public_key = signer.public().clone();
        let authority = JwtAuthority { key_id: "k".into(), public_key, expires_at: None, tainted: false };
        bundle.push_jwt(authority).map_err(Fault::credentials)?;
        let claims = JwtSvidClaims {
            subject: SpiffeId::new(&td, "/ns/default/sa/web").map_err(Fault::credentials)?,
            audience: vec![AUDIENCE.to_owned()],
            issued_at: now,
            expires_at: now + Duration::from_secs(3600),
            issuer: None,
            jti: None,
        };
        let token = jwt::sign(&claims, "k", &signer).map_err(Fault::credentials)?;
        let jws = Jws::parse_unverified(&token).map_err(Fault::credentials)?;
        Ok(Self { signer, bundle, claims, token, jws, now })
    }

    pub(super) fn pairs(&self) -> Vec<Pair<'_>> {
        vec![
            Pair::new(
                "sign a JWT-SVID",
                || drop(black_box(jwt::sign(&self.claims, "k", &self.signer).ok())),
                || drop(black_box(self.signer.sign(ALG, signed(black_box(&self.token))).ok())),
            ),
            Pair::new(
                "verify a JWT-SVID",
                || drop(black_box(JwtSvid::verify(&self.token, &self.bundle, &[AUDIENCE], self.now).ok())),
                || drop(black_box(black_box(&self.jws).verify(self.signer.public()))),
            ),
        ]
    }
}

/// What is signed of a token.
fn signed(token: &str) -> &[u8] {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed).as_bytes()
}
