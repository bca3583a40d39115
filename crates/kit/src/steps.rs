//! Steps of a move that must survive a stop between any two of them, made visible for the tests that stop it there.
//!
//! In a debug build, a process whose environment names a file in `BONAFIDE_STOP_AFTER_STEPS` reads a number from it at
//! each step, counts it down, and at 0 aborts: no goodbye, no destructor, as if it had been killed. The file then names
//! the step. Without the file nothing happens. In a release build all of this is nothing: no variable is read.

/// The variable that names the file.
pub const VARIABLE: &str = "BONAFIDE_STOP_AFTER_STEPS";

/// A step of such a move has been done, and is on the disk if that is what it was for.
#[cfg(debug_assertions)]
pub fn done(of: &str, step: &str) {
    use std::sync::OnceLock;
    static FILE: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
    let Some(file) = FILE.get_or_init(|| std::env::var_os(VARIABLE).map(Into::into)) else { return };
    let Some(left) = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u32>().ok())
    else {
        return;
    };
    match left.checked_sub(1) {
        Some(left) => drop(std::fs::write(file, left.to_string())),
        None => {
            drop(std::fs::write(file, format!("{of}: {step}")));
            std::process::abort()
        }
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn done(_: &str, _: &str) {}
