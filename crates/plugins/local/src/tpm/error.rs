use std::fmt;

/// Why a TPM did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TpmError {
    /// It cannot be reached.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It answered something that makes no sense.
    #[error("the TPM's answer to {0} makes no sense")]
    Answer(&'static str),
    /// It said no.
    #[error("{command}: {code}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it said.
        code: ResponseCode,
    },
}

/// A response code (TPM_RC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseCode(pub(crate) u32);

impl ResponseCode {
    /// Whether the same command may be answered in a moment: retry, yielded, testing.
    pub(crate) fn is_passing(self) -> bool {
        matches!(self.0, 0x922 | 0x908 | 0x90a)
    }

    /// The code without what it is about: which handle, session or parameter.
    fn base(self) -> u32 {
        match self.0 & 0x80 {
            0 => self.0,
            _ => self.0 & 0xbf & 0x0ff,
        }
    }

    fn meaning(self) -> &'static str {
        match self.base() {
            0x100 => "the TPM was not started",
            0x101 => "the TPM is in failure mode",
            0x120 => "the hierarchy or command is disabled",
            0x14a => "there is nothing at that NV index that may be read",
            0x143 => "the TPM does not have that command",
            0x902 => {
                "out of memory for object contexts: another program has left keys in the TPM; use /dev/tpmrm0"
            }
            0x903 => "out of memory for session contexts",
            0x905 | 0x904 => "out of memory for sessions or objects",
            0x921 => "locked out after too many wrong passwords: wait, or reset the lockout",
            0x922 => "not ready; it kept asking to be asked again",
            0x08b => "there is no such handle, key or NV index",
            0x08e => "wrong password (counts towards a lockout)",
            0x0a2 => "wrong password",
            0x09d => "a policy does not allow it",
            0x09f => "integrity check failed: the key was made under another primary key or in another TPM",
            0x084 => "a value is not right for it",
            0x095 => "a size is wrong",
            0x09a => "it is too short",
            0x085 => "the hierarchy is not the right one",
            0x082 => "attributes do not fit",
            _ => "see TPM_RC in the TPM 2.0 Library, part 2",
        }
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} (response code 0x{:03x})", self.meaning(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_about_any_session_or_parameter_have_one_meaning() {
        // bad authorization of session 1, integrity of parameter 1, object memory
        assert_eq!(ResponseCode(0x9a2).to_string(), "wrong password (response code 0x9a2)");
        assert!(ResponseCode(0x1df).to_string().starts_with("integrity check failed"));
        assert!(ResponseCode(0x902).to_string().starts_with("out of memory for object contexts"));
        assert!(ResponseCode(0x18b).to_string().starts_with("there is no such handle"));
        assert!(ResponseCode(0x922).is_passing() && !ResponseCode(0x921).is_passing());
    }
}
