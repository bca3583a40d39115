//! Makes the `:authority` of gRPC's clients on Unix sockets one that HTTP allows.
//!
//! grpc-java sends the socket's path there, gRPC's C core (so Python) the path percent-encoded. Neither is a host name,
//! and the HTTP/2 implementation refuses the request for it (hyperium/h2#487), where gRPC's own servers do not look.
//! Nobody here reads the value. So what may not stand in it becomes `-`, byte for byte, in the stream as it arrives:
//! lengths stay, and the table of headers that both ends keep stays the same on both. Values in Huffman code are left
//! alone; those clients do not use it for them.

/// HTTP/2's first words.
const PREFACE: u32 = 24;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
const NAME: &[u8] = b":authority";
/// Where `:authority` stands in HPACK's static table (RFC 7541, appendix A).
const NAME_INDEX: u8 = 1;

/// The client's side of one HTTP/2 connection, as far as it has been read.
#[derive(Debug)]
pub(super) struct Rewriter {
    frame: Frame,
    block: Block,
}

/// Where in the frames.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// In the preface.
    Preface { left: u32 },
    /// In a frame's header.
    Header { at: u8, length: u32, kind: u8, flags: u8 },
    /// At a frame's length of padding.
    PadLength { left: u32, flags: u8 },
    /// In a frame's priority.
    Priority { skip: u8, left: u32, padding: u32, last: bool },
    /// In a block of headers.
    Fields { left: u32, padding: u32, last: bool },
    /// In what concerns nobody.
    Skip { left: u32 },
}

const NEXT_FRAME: Frame = Frame::Header { at: 0, length: 0, kind: 0, flags: 0 };

impl Rewriter {
    pub(super) fn new() -> Self {
        Self { frame: Frame::Preface { left: PREFACE }, block: Block::Field }
    }

    /// Goes over what has just been read.
    pub(super) fn rewrite(&mut self, mut bytes: &mut [u8]) {
        while let Some((byte, _)) = bytes.split_first_mut() {
            let taken = match &mut self.frame {
                Frame::Preface { left } | Frame::Skip { left } => {
                    let taken = (*left as usize).min(bytes.len());
                    *left -= taken as u32;
                    taken
                }
                Frame::Header { at, length, kind, flags } => {
                    match *at {
                        0..=2 => *length = *length << 8 | u32::from(*byte),
                        3 => *kind = *byte,
                        4 => *flags = *byte,
                        _ => {}
                    }
                    *at += 1;
                    1
                }
                Frame::PadLength { left, flags } => {
                    self.frame = begin(left.saturating_sub(1), u32::from(*byte), *flags);
                    1
                }
                Frame::Priority { skip, left, .. } => {
                    *skip -= 1;
                    *left = left.saturating_sub(1);
                    1
                }
                Frame::Fields { left, .. } => {
                    self.block.take(byte);
                    *left -= 1;
                    1
                }
            };
            bytes = bytes.get_mut(taken..).unwrap_or_default();
            self.turn();
        }
    }

    /// Goes on to what follows a part that is complete.
    fn turn(&mut self) {
        loop {
            self.frame = match self.frame {
                Frame::Preface { left: 0 } | Frame::Skip { left: 0 } => NEXT_FRAME,
                Frame::Header { at: 9, length, kind: HEADERS, flags }
                    if flags & PADDED != 0 && length > 0 =>
                {
                    Frame::PadLength { left: length, flags }
                }
                Frame::Header { at: 9, length, kind: HEADERS, flags } => begin(length, 0, flags),
                Frame::Header { at: 9, length, kind: CONTINUATION, flags } => {
                    begin(length, 0, flags & END_HEADERS)
                }
                Frame::Header { at: 9, length, .. } => Frame::Skip { left: length },
                Frame::Priority { skip: 0, left, padding, last } => fields(left, padding, last),
                Frame::Fields { left: 0, padding, last } => {
                    if last {
                        self.block = Block::Field;
                    }
                    Frame::Skip { left: padding }
                }
                _ => return,
            };
        }
    }
}

/// The payload of a frame with headers, after its length of padding.
fn begin(left: u32, padding: u32, flags: u8) -> Frame {
    let last = flags & END_HEADERS != 0;
    match flags & PRIORITY {
        0 => fields(left, padding, last),
        _ => Frame::Priority { skip: 5, left, padding, last },
    }
}

fn fields(left: u32, padding: u32, last: bool) -> Frame {
    let padding = padding.min(left);
    Frame::Fields { left: left - padding, padding, last }
}

/// Where in a block of headers (RFC 7541, section 6).
#[derive(Debug, Clone, Copy)]
enum Block {
    /// At the first byte of a field.
    Field,
    /// In the rest of a number that nothing here needs.
    Number { then: Then },
    /// At the length of a name.
    NameLength,
    /// At the length of a value.
    ValueLength { ours: bool },
    /// In the rest of a length.
    Length { length: u32, shift: u8, of: Text },
    /// In a name or a value.
    Text { left: u32, of: Text },
}

#[derive(Debug, Clone, Copy)]
enum Then {
    Field,
    Value,
}

#[derive(Debug, Clone, Copy)]
enum Text {
    /// A name; `matched` bytes of it are ours so far, and `None` when it is another's.
    Name { matched: Option<u8> },
    /// A value, ours to rewrite or not.
    Value { ours: bool },
}

impl Block {
    fn take(&mut self, byte: &mut u8) {
        *self = match *self {
            Self::Field => field(*byte),
            Self::Number { then } => match (*byte & 0x80, then) {
                (0, Then::Field) => Self::Field,
                (0, Then::Value) => Self::ValueLength { ours: false },
                _ => *self,
            },
            Self::NameLength => {
                let huffman = *byte & 0x80 != 0;
                length(*byte & 0x7f, Text::Name { matched: (!huffman).then_some(0) })
            }
            Self::ValueLength { ours } => {
                let huffman = *byte & 0x80 != 0;
                length(*byte & 0x7f, Text::Value { ours: ours && !huffman })
            }
            Self::Length { length, shift, of } => {
                let more = u32::from(*byte & 0x7f).checked_shl(u32::from(shift)).unwrap_or(u32::MAX);
                let length = length.saturating_add(more);
                match *byte & 0x80 {
                    0 => text(length, of),
                    _ => Self::Length { length, shift: shift.saturating_add(7), of },
                }
            }
            Self::Text { left, of: Text::Name { matched } } => {
                let matched = matched.filter(|at| NAME.get(usize::from(*at)) == Some(byte)).map(|at| at + 1);
                text(left - 1, Text::Name { matched })
            }
            Self::Text { left, of: Text::Value { ours } } => {
                if ours && !allowed(*byte) {
                    *byte = b'-';
                }
                text(left - 1, Text::Value { ours })
            }
        };
    }
}

/// What the first byte of a field says.
fn field(byte: u8) -> Block {
    let (index, mask, literal) = match byte {
        0x80.. => (byte & 0x7f, 0x7f, false),
        0x40.. => (byte & 0x3f, 0x3f, true),
        0x20.. => (byte & 0x1f, 0x1f, false),
        _ => (byte & 0x0f, 0x0f, true),
    };
    match (literal, index) {
        (false, index) if index == mask => Block::Number { then: Then::Field },
        (false, _) => Block::Field,
        (true, index) if index == mask => Block::Number { then: Then::Value },
        (true, 0) => Block::NameLength,
        (true, index) => Block::ValueLength { ours: index == NAME_INDEX },
    }
}

fn length(short: u8, of: Text) -> Block {
    match short {
        0x7f => Block::Length { length: 0x7f, shift: 0, of },
        short => text(u32::from(short), of),
    }
}

/// A text of which so much is to come.
fn text(left: u32, of: Text) -> Block {
    match (left, of) {
        (0, Text::Name { matched }) => {
            Block::ValueLength { ours: matched.map(usize::from) == Some(NAME.len()) }
        }
        (0, Text::Value { .. }) => Block::Field,
        (left, of) => Block::Text { left, of },
    }
}

/// What a host and a port are written with.
fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of grpc-python 1.85 (C core), as they were seen on a socket at `/tmp/sniff.sock`.
    const PYTHON: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00$\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x04\x00@\x00\x00\x00\x05\x00@\x00\x00\x00\x06\x00\x00@\x00\xfe\x03\x00\x00\x00\x01\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00?\x00\x01\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x01\t\x01\x04\x00\x00\x00\x01@\x05:path /SpiffeWorkloadAPI/FetchX509SVID@\n:authority\x10tmp%2Fsniff.sock\x83\x86@\x0ccontent-type\x10application/grpc@\x02te\x08trailers@\x14grpc-accept-encoding\x17identity, deflate, gzip@\x0cgrpc-timeout\x0315S@\nuser-agent0grpc-python/1.85.3 grpc-c/58.0.0 (linux; chttp2)\x00\x12workload.spiffe.io\x04true\x00\x00\x05\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00";

    /// The same of grpc-java 1.80.
    const JAVA: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x18\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x04\x00\x10\x00\x00\x00\x06\x00\x00 \x00\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x0f\x00\x01\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\xa0\x01\x04\x00\x00\x00\x03A\x0f/tmp/sniff.sockD /SpiffeWorkloadAPI/FetchX509SVID\x83\x86_\x10application/grpc@\x02te\x08trailersz\x16grpc-java-netty/1.80.0@\x12workload.spiffe.io\x04true@\x14grpc-accept-encoding\x04gzip\x00\x00\x05\x00\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00";

    fn rewritten(bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let mut rewriter = Rewriter::new();
        bytes.chunks_mut(piece).for_each(|chunk| rewriter.rewrite(chunk));
        bytes
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }

    #[test]
    fn a_path_becomes_a_name_however_it_arrives_and_nothing_else_changes() {
        for piece in [1, 2, 7, 64, 4096] {
            let python = replaced(PYTHON, b"tmp%2Fsniff.sock", b"tmp-2Fsniff.sock");
            assert!(rewritten(PYTHON, piece) == python, "in pieces of {piece}");
            let java = replaced(JAVA, b"/tmp/sniff.sock", b"-tmp-sniff.sock");
            assert!(rewritten(JAVA, piece) == java, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_a_path_becomes_is_an_authority() {
        for name in ["tmp-2Fsniff.sock", "-tmp-sniff.sock"] {
            http::uri::Authority::try_from(name).unwrap();
        }
    }

    fn connection(frames: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        for (kind, flags, payload) in frames {
            bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
            bytes.extend_from_slice(&[*kind, *flags, 0, 0, 0, 1]);
            bytes.extend_from_slice(payload);
        }
        bytes
    }

    #[test]
    fn a_host_and_port_stay_as_they_are() {
        let bytes = connection(&[(HEADERS, END_HEADERS, b"\x41\x0elocalhost:8080")]);
        assert_eq!(rewritten(&bytes, 4096), bytes);
    }

    #[test]
    fn only_the_authority_is_touched_and_data_never() {
        let bytes = connection(&[
            (HEADERS, END_HEADERS, b"\x44\x04/a/b\x40\x03x/y\x03a%b"),
            (0, 0, b"\x41\x02/a"),
            (HEADERS, END_HEADERS, b"\x82\xbf\x3f\xe1\x1f\x0f\x80\x01\x02/a"),
        ]);
        assert_eq!(rewritten(&bytes, 3), bytes);
    }

    #[test]
    fn padding_priority_and_continuation_do_not_lead_astray() {
        let padded =
            connection(&[(HEADERS, END_HEADERS | PADDED | PRIORITY, b"\x03\0\0\0\0\x01\x41\x02/a\x41\x02/")]);
        let expected =
            connection(&[(HEADERS, END_HEADERS | PADDED | PRIORITY, b"\x03\0\0\0\0\x01\x41\x02-a\x41\x02/")]);
        assert_eq!(rewritten(&padded, 1), expected);
        let split = connection(&[(HEADERS, 0, b"\x41\x04/a"), (CONTINUATION, END_HEADERS, b"/b\x44\x02/c")]);
        let expected =
            connection(&[(HEADERS, 0, b"\x41\x04-a"), (CONTINUATION, END_HEADERS, b"-b\x44\x02/c")]);
        assert_eq!(rewritten(&split, 1), expected);
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let mut state: u32 = 9;
        for length in 0..2000 {
            let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            bytes.extend((0..length).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [0, 0, 1, 9, 0x0f, 0xff, (state >> 24) as u8, (state >> 16) as u8][(state >> 29) as usize]
            }));
            let _ = rewritten(&bytes, 5);
        }
    }
}
