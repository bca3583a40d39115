//! Gzip's form (RFC 1952) around bytes that are stored as they are: profiles are made now and then, and small.

/// The most bytes of a stored block (RFC 1951 §3.2.4).
const BLOCK: usize = 0xffff;

/// The bytes in gzip's form.
pub(super) fn stored(bytes: &[u8]) -> Vec<u8> {
    // Deflate, no flags, no time, no hint, an unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = bytes.chunks(BLOCK).peekable();
    if blocks.peek().is_none() {
        block(&[], true, &mut out);
    }
    while let Some(next) = blocks.next() {
        block(next, blocks.peek().is_none(), &mut out);
    }
    out.extend(crc32(bytes).to_le_bytes());
    #[allow(clippy::cast_possible_truncation, reason = "gzip keeps the length modulo 2^32")]
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn block(bytes: &[u8], last: bool, out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.push(u8::from(last));
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn gzip_itself_reads_it() {
        use std::io::Write as _;
        for length in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let bytes: Vec<u8> = (0..length).map(|number| u8::try_from(number % 251).unwrap()).collect();
            let mut gzip = std::process::Command::new("gzip")
                .arg("-dc")
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = gzip.stdin.take().unwrap();
            let packed = stored(&bytes);
            let written = std::thread::spawn(move || stdin.write_all(&packed).unwrap());
            let output = gzip.wait_with_output().unwrap();
            written.join().unwrap();
            assert!(output.status.success() && output.stdout == bytes, "{length}");
        }
    }
}
