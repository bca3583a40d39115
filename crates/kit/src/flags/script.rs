//! The scripts that make a shell ask the program what may stand next.

/// A shell that completes command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash 4.4 or later.
    Bash,
    /// Z shell 5.
    Zsh,
    /// fish 3.
    Fish,
}

impl Shell {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// Its name, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The script for a program of this name.
    pub fn script(self, program: &str) -> String {
        let script = match self {
            Self::Bash => include_str!("shells/bash.sh"),
            Self::Zsh => include_str!("shells/zsh.sh"),
            Self::Fish => include_str!("shells/fish.sh"),
        };
        let function = format!("_{}", program.replace('-', "_"));
        script.replace("@PROGRAM@", program).replace("@FUNCTION@", &function)
    }
}
