//! The limit of open files: a thousand streams are a thousand of them, and systemd's default is 1,024.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Lets this process, and those that it starts, open as many files as the system allows. Where that fails it goes on
/// with what it has; the error is for a line in the log.
pub fn raise() -> std::io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afterwards_the_limit_is_the_highest_allowed() {
        raise().unwrap();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
