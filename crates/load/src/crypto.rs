//! The bare cryptography of one SVID, on one thread: what no server can be faster than.

use std::hint::black_box;
use std::time::{Duration, Instant};

use spiffe::key::{KeyType, PrivateKey, SigAlg, SignError, Signer};
use spiffe::x509::Csr;

use crate::fault::Fault;
use crate::report::{Figure, Measured, Report, Unit};

/// About what of a certificate is signed.
const CERTIFICATE: [u8; 600] = [7; 600];
/// Work between two looks at the clock.
const BETWEEN: u32 = 16;

/// The name of the measurement that bounds X.509-SVIDs.
pub(crate) const X509: &str = "bare crypto of an X.509-SVID (check and sign)";
/// The name of the measurement that bounds JWT-SVIDs.
pub(crate) const JWT: &str = "bare crypto of a JWT-SVID (sign)";

/// Measures for about `duration` each.
pub(crate) fn measure(duration: Duration) -> Result<Report, Fault> {
    let (ca, requester) = (key()?, key()?);
    let csr = Csr::build(&requester, None, &[]).map_err(Fault::credentials)?;
    let alg = SigAlg::for_x509(ca.public());
    let signature = requester.sign(alg, &CERTIFICATE).map_err(Fault::credentials)?;
    let check = || requester.public().verify(alg, &CERTIFICATE, &signature);
    let sign = || ca.sign(alg, &CERTIFICATE).map(|signature| drop(black_box(signature)));

    let mut report = Report::default();
    report.push(row("check of an ECDSA P-256 signature", duration, check)?);
    report.push(row(JWT, duration, sign)?);
    report.push(row(X509, duration, || check().and_then(|()| sign()))?);
    let parse = || {
        // The request was built above.
        black_box(Csr::parse(black_box(&csr)).ok());
        Ok(())
    };
    report.push(row("whole check of a certificate request", duration, parse)?);
    Ok(report)
}

fn key() -> Result<PrivateKey, Fault> {
    PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials)
}

fn row(what: &str, duration: Duration, work: impl Fn() -> Result<(), SignError>) -> Result<Measured, Fault> {
    let (start, cpu) = (Instant::now(), thread_cpu());
    let mut done = 0_u32;
    while start.elapsed() < duration {
        for _ in 0..BETWEEN {
            work().map_err(Fault::credentials)?;
        }
        done += BETWEEN;
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), thread_cpu() - cpu);
    let figures = vec![
        Figure::new("rate", f64::from(done) / wall, Unit::PerSecond),
        Figure::new("per CPU second", f64::from(done) / cpu, Unit::Number),
        Figure::new("each", cpu * 1000.0 / f64::from(done), Unit::Millis),
    ];
    Ok(Measured { what: what.to_owned(), figures })
}

/// What this thread has worked so far, in seconds: what else runs on the machine does not count.
pub(crate) fn thread_cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_limit_is_measured() {
        let report = measure(Duration::from_millis(5)).unwrap();
        assert_eq!(report.0.len(), 4);
        assert!(
            report.find(X509, "per CPU second").unwrap().value
                < report.find(JWT, "per CPU second").unwrap().value
        );
    }
}
