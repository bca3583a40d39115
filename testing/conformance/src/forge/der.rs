//! DER, written by hand.

/// One element: a tag, a length, the parts.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        _ => {
            out.push(0x80 | digits.len() as u8);
            out.extend(digits);
        }
    }
    out.extend(content);
    out
}

/// A SEQUENCE of what is given.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

/// A SEQUENCE of any number of elements.
pub fn sequence_of(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A number that is not negative, in the shortest form.
pub fn integer(big_endian: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = big_endian.iter().copied().skip_while(|byte| *byte == 0).collect();
    let sign: &[u8] = if digits.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    tlv(2, &[sign, &digits])
}

/// A BIT STRING of whole bytes.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], bytes])
}

/// An OBJECT IDENTIFIER from its dotted form; what is no number counts as 0.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap_or_default()).collect();
    let mut content = Vec::new();
    if let [first, second, rest @ ..] = arcs.as_slice() {
        for arc in std::iter::once(&(first * 40 + second)).chain(rest) {
            content.extend(base128(*arc));
        }
    }
    tlv(6, &[&content])
}

fn base128(mut arc: u64) -> Vec<u8> {
    let mut out = vec![(arc & 0x7f) as u8];
    while arc > 0x7f {
        arc >>= 7;
        out.push((arc & 0x7f) as u8 | 0x80);
    }
    out.reverse();
    out
}
