//! The PROXY protocol, versions 1 and 2: what a load balancer says before a connection's own bytes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, its line end included.
const LONGEST_V1: usize = 107;
/// The longest header of version 2 that is taken: addresses, and some further values that are passed over.
const LONGEST_V2: usize = 16 + 2048;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the beginning of a connection turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// No header: all bytes are the connection's own.
    None,
    /// More bytes are needed to tell.
    Short,
    /// A header of so many bytes. The address is that of the client, if the header tells it: a health check of the load
    /// balancer itself has none.
    Header {
        /// How many bytes belong to it.
        length: usize,
        /// Where the client is.
        client: Option<SocketAddr>,
    },
}

/// Why a header is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the PROXY protocol's header is malformed: {0}")]
pub struct Malformed(&'static str);

/// Reads the beginning of a connection.
///
/// # Errors
/// When it begins as a header does and is none.
pub fn read(bytes: &[u8]) -> Result<Beginning, Malformed> {
    if begins(bytes, SIGNATURE) {
        return if bytes.len() < SIGNATURE.len() { Ok(Beginning::Short) } else { second(bytes) };
    }
    if begins(bytes, b"PROXY ") {
        return first(bytes);
    }
    Ok(Beginning::None)
}

/// Whether the two are the same as far as both go. Nothing begins as anything.
fn begins(bytes: &[u8], with: &[u8]) -> bool {
    bytes.iter().zip(with).all(|(a, b)| a == b)
}

fn first(bytes: &[u8]) -> Result<Beginning, Malformed> {
    let head = bytes.get(..LONGEST_V1.min(bytes.len())).unwrap_or(bytes);
    let Some(end) = head.windows(2).position(|two| two == b"\r\n") else {
        return match bytes.len() < LONGEST_V1 {
            true => Ok(Beginning::Short),
            false => Err(Malformed("its line does not end within 107 bytes")),
        };
    };
    let line = head.get(..end).and_then(|line| std::str::from_utf8(line).ok());
    let mut words = line.ok_or(Malformed("its line is not text"))?.split(' ').skip(1);
    let family = words.next();
    let length = end + 2;
    if family == Some("UNKNOWN") {
        return Ok(Beginning::Header { length, client: None });
    }
    let [Some(source), Some(_), Some(port), Some(to), None] = std::array::from_fn(|_| words.next()) else {
        return Err(Malformed("it needs two addresses and two ports"));
    };
    let address: IpAddr = source.parse().map_err(|_| Malformed("the client's address is none"))?;
    let fits = matches!((family, address), (Some("TCP4"), IpAddr::V4(_)) | (Some("TCP6"), IpAddr::V6(_)));
    let (port, to) = (port.parse::<u16>(), to.parse::<u16>());
    match (fits, port, to) {
        (true, Ok(port), Ok(_)) => {
            Ok(Beginning::Header { length, client: Some(SocketAddr::new(address, port)) })
        }
        _ => Err(Malformed("its family, addresses and ports do not fit")),
    }
}

fn second(bytes: &[u8]) -> Result<Beginning, Malformed> {
    let Some(&[version_command, family, high, low]) =
        bytes.get(12..16).and_then(|four| <&[u8; 4]>::try_from(four).ok())
    else {
        return Ok(Beginning::Short);
    };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_V2 {
        return Err(Malformed("it is longer than 2064 bytes"));
    }
    let Some(rest) = bytes.get(16..length) else { return Ok(Beginning::Short) };
    let client = match (version_command, family) {
        (0x20, _) | (0x21, 0x00) => None,
        (0x21, 0x11) => Some(four(rest).ok_or(Malformed("the addresses are cut short"))?),
        (0x21, 0x21) => Some(six(rest).ok_or(Malformed("the addresses are cut short"))?),
        (0x21, _) => return Err(Malformed("it is not about TCP")),
        _ => return Err(Malformed("its version or command is not known")),
    };
    Ok(Beginning::Header { length, client })
}

fn four(rest: &[u8]) -> Option<SocketAddr> {
    let (address, port) = (<[u8; 4]>::try_from(rest.get(..4)?).ok()?, rest.get(8..10)?);
    rest.get(..12)?;
    Some(SocketAddr::new(address.into(), u16::from_be_bytes(port.try_into().ok()?)))
}

fn six(rest: &[u8]) -> Option<SocketAddr> {
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(rest.get(..16)?).ok()?);
    rest.get(..36)?;
    Some(SocketAddr::new(IpAddr::V6(address), u16::from_be_bytes(rest.get(32..34)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(length: usize, client: Option<&str>) -> Result<Beginning, Malformed> {
        Ok(Beginning::Header { length, client: client.map(|text| text.parse().unwrap()) })
    }

    #[test]
    fn a_line_tells_the_client() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 8081\r\n";
        assert_eq!(read(&[&line[..], b"\x16\x03"].concat()), header(line.len(), Some("192.0.2.1:5000")));
        let line = b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n";
        assert_eq!(read(line), header(line.len(), Some("[2001:db8::1]:1")));
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), header(15, None));
        for end in 0..line.len() {
            assert_eq!(read(&line[..end]), Ok(Beginning::Short), "{end} bytes");
        }
    }

    #[test]
    fn a_binary_header_tells_the_client() {
        let head = |command, family, rest: &[u8]| {
            let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
            [&SIGNATURE[..], &[command, family], &length, rest].concat()
        };
        let four = [192, 0, 2, 1, 192, 0, 2, 2, 0x13, 0x88, 0x1f, 0x91];
        assert_eq!(read(&head(0x21, 0x11, &four)), header(28, Some("192.0.2.1:5000")));
        assert_eq!(
            read(&head(0x21, 0x11, &[&four[..], b"\x04\0\x01x"].concat())),
            header(32, Some("192.0.2.1:5000"))
        );
        let mut six = [0; 36];
        (six[15], six[33]) = (1, 9);
        assert_eq!(read(&head(0x21, 0x21, &six)), header(52, Some("[::1]:9")));
        assert_eq!(read(&head(0x20, 0x00, b"")), header(16, None));
        let whole = head(0x21, 0x11, &four);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Ok(Beginning::Short), "{end} bytes");
        }
        for wrong in [
            head(0x31, 0x11, &four),
            head(0x21, 0x12, &four),
            head(0x21, 0x11, &four[..11]),
            head(0x22, 0, b""),
        ] {
            assert!(read(&wrong).is_err(), "{wrong:?}");
        }
        assert!(read(&head(0x21, 0x11, &[0; 3000])).is_err());
    }

    #[test]
    fn what_is_no_header_is_the_connections_own() {
        for own in [&b"\x16\x03\x01"[..], b"GET / HTTP/1.1\r\n", b"PROXX"] {
            assert_eq!(read(own), Ok(Beginning::None));
        }
        for wrong in [
            "TCP4 ::1 ::1 1 2",
            "TCP4 192.0.2.1 192.0.2.2 1",
            "TCP4 a b 1 2",
            "TCP4 192.0.2.1 192.0.2.2 99999 1",
            "X",
        ] {
            assert!(read(format!("PROXY {wrong}\r\n").as_bytes()).is_err(), "{wrong}");
        }
        assert!(read(&[b"PROXY ".as_slice(), &[b'a'; 200]].concat()).is_err());
    }
}
