//! RSA of any size, by the book (RFC 8017): it need be neither fast nor safe against who watches it.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

use super::der::{integer, oid, sequence, tlv};
use super::key::Hash;

/// A private key.
#[derive(Debug)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    private: Vec<u8>,
    factors: [Vec<u8>; 5],
}

impl RsaKey {
    /// From its numbers, the factors in the order of RSAPrivateKey.
    pub(super) fn new(
        modulus: &[u8],
        exponent: &[u8],
        private: &[u8],
        factors: [Option<Vec<u8>>; 5],
    ) -> Option<Self> {
        let [Some(p), Some(q), Some(dp), Some(dq), Some(qi)] = factors else { return None };
        Some(Self {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
            private: private.to_vec(),
            factors: [p, q, dp, dq, qi],
        })
    }

    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    pub(super) fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    pub(super) fn secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let names = ["p", "q", "dp", "dq", "qi"].into_iter().zip(self.factors.iter().cloned());
        std::iter::once(("d", self.private.clone())).chain(names).collect()
    }

    /// RSAPublicKey.
    pub(super) fn public_der(&self) -> Vec<u8> {
        sequence(&[&integer(&self.modulus), &integer(&self.exponent)])
    }

    /// RSAPrivateKey.
    pub(super) fn private_der(&self) -> Vec<u8> {
        let factors: Vec<u8> = self.factors.iter().flat_map(|number| integer(number)).collect();
        let [n, e, d] = [&self.modulus, &self.exponent, &self.private].map(|number| integer(number));
        sequence(&[&[2, 1, 0], &n, &e, &d, &factors])
    }

    /// RFC 8017 §8.2.1, §9.2.
    pub(super) fn sign_pkcs1(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let info = sequence(&[&sequence(&[&oid(hash.oid()), &[5, 0]]), &tlv(4, &[&hash.of(message)])]);
        let padding = vec![0xff; self.modulus.len().saturating_sub(info.len() + 3)];
        self.private_operation(&[&[0, 1], &padding[..], &[0], &info].concat())
    }

    /// RFC 8017 §8.1.1, §9.1.1; the salt is the hash of the message's hash.
    pub(super) fn sign_pss(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let hashed = hash.of(message);
        let salt = hash.of(&hashed);
        let h = hash.of(&[&[0; 8], &hashed[..], &salt].concat());
        let size = self.modulus.len();
        let mut masked = vec![0; size.saturating_sub(h.len() + salt.len() + 2)];
        masked.push(1);
        masked.extend(&salt);
        let mask = mgf1(hash, &h, masked.len());
        masked.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        // The modulus has whole bytes, so one bit is kept free.
        if let Some(first) = masked.first_mut() {
            *first &= 0x7f;
        }
        self.private_operation(&[&masked[..], &h, &[0xbc]].concat())
    }

    /// `message ^ d mod n`; empty where the message is no number below the modulus.
    fn private_operation(&self, message: &[u8]) -> Vec<u8> {
        let precision = self.modulus.len() as u32 * 8;
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, precision).ok();
        let raise = || {
            let modulus = Option::<Odd<BoxedUint>>::from(Odd::new(number(&self.modulus)?))?;
            let params = BoxedMontyParams::new(modulus);
            let raised = BoxedMontyForm::new(number(message)?, &params).pow(&number(&self.private)?);
            Some(raised.retrieve().to_be_bytes().to_vec())
        };
        raise().unwrap_or_default()
    }
}

/// RFC 8017 §B.2.1.
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).flat_map(|counter| hash.of(&[seed, &counter.to_be_bytes()].concat()));
    blocks.take(length).collect()
}
