/// What happens to entries that federate with a trust domain whose bundle is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DissociateMode {
    /// The deletion is refused while there are any.
    Restrict,
    /// They are deleted with it.
    Delete,
    /// They stay and federate no longer.
    Dissociate,
}
