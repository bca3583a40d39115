//! A server's own authorities.

use std::io::{self, Write};

use proto::spire::api::server::localauthority::v1::AuthorityState;

use crate::text;

/// One of the two families of authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Certificates.
    X509,
    /// Keys.
    Jwt,
}

impl Family {
    /// As it stands in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X509 => "X.509",
            Self::Jwt => "JWT",
        }
    }
}

/// The active, the prepared and the old authority.
pub(crate) fn print_stages(
    out: &mut dyn Write,
    family: Family,
    stages: &[Option<AuthorityState>; 3],
) -> io::Result<()> {
    let name = family.name();
    for (index, (stage, state)) in ["Active", "Prepared", "Old"].iter().zip(stages).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{stage} {name} authority:")?;
        match state {
            Some(state) => print(out, family, state)?,
            None => writeln!(out, "  No {} {name} authority found", stage.to_lowercase())?,
        }
    }
    Ok(())
}

/// One authority.
pub(crate) fn print(out: &mut dyn Write, family: Family, state: &AuthorityState) -> io::Result<()> {
    writeln!(out, "  Authority ID: {}", state.authority_id)?;
    writeln!(out, "  Expires at: {}", text::time(state.expires_at))?;
    match (family, state.upstream_authority_subject_key_id.as_str()) {
        (Family::Jwt, _) => Ok(()),
        (Family::X509, "") => writeln!(out, "  Upstream authority ID: No upstream authority"),
        (Family::X509, id) => writeln!(out, "  Upstream authority Subject Key ID: {id}"),
    }
}
