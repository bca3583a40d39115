//! What OpenSSH leaves out of its files of RSA keys, and others want: the exponents of the two primes.

use zeroize::Zeroizing;

/// `dividend` modulo `prime - 1`, all big-endian. Empty if `prime` is not odd and more than 1.
///
/// Bit by bit, which takes milliseconds and no more memory than the numbers: it is done once for a key, on the machine
/// that has it.
pub(super) fn modulo_predecessor(dividend: &[u8], prime: &[u8]) -> Zeroizing<Vec<u8>> {
    let Some((last, rest)) = prime.split_last().filter(|(last, _)| **last & 1 == 1) else {
        return Zeroizing::default();
    };
    if *last == 1 && rest.iter().all(|byte| *byte == 0) {
        return Zeroizing::default();
    }
    // one byte more, so that doubling has room
    let divisor = Zeroizing::new([&[0], rest, &[last & 0xfe]].concat());
    let mut remainder = Zeroizing::new(vec![0; divisor.len()]);
    for bit in dividend.iter().flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1)) {
        double_and_add(&mut remainder, bit);
        if remainder.as_slice() >= divisor.as_slice() {
            subtract(&mut remainder, &divisor);
        }
    }
    remainder
}

fn double_and_add(number: &mut [u8], bit: u8) {
    let mut carry = bit;
    for byte in number.iter_mut().rev() {
        let top = *byte >> 7;
        *byte = (*byte << 1) | carry;
        carry = top;
    }
}

/// `number -= other`, which is not larger and as long.
fn subtract(number: &mut [u8], other: &[u8]) {
    let mut borrowed = false;
    for (byte, other) in number.iter_mut().zip(other).rev() {
        let (once, first) = byte.overflowing_sub(*other);
        let (twice, second) = once.overflowing_sub(u8::from(borrowed));
        (*byte, borrowed) = (twice, first || second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_those_of_the_machine() {
        for (dividend, prime) in [
            (0_u64, 3_u64),
            (1, 3),
            (2, 3),
            (65_537, 257),
            (u64::MAX, 4_294_967_291),
            (u64::MAX - 1, u64::MAX),
            (12_345_678_901_234_567, 1_000_000_007),
        ] {
            let found = modulo_predecessor(&dividend.to_be_bytes(), &prime.to_be_bytes());
            let found = found.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            assert_eq!(found, dividend % (prime - 1), "{dividend} {prime}");
        }
        assert!(modulo_predecessor(&[5], &[4]).is_empty());
        assert!(modulo_predecessor(&[5], &[0, 1]).is_empty());
    }
}
