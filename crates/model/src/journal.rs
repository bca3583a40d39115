/// One server's record of its authorities' stages, as bytes that the server engine writes and reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Journal {
    /// Random name of the authority set, not of a host: a server finds its own by the keys it holds.
    pub id: String,
    /// The encoded stages.
    pub data: Vec<u8>,
}
