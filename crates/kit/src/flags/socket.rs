//! Which socket a client command talks to.

use std::path::PathBuf;

use super::values::Values;

/// How a program's client commands find its socket: an explicit `-socketPath`, else `-instance` with the template of
/// the environment, else the path of the environment, else the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketFlags {
    /// The environment's path.
    pub path_variable: &'static str,
    /// The environment's template, in which `%i` stands for the instance.
    pub template_variable: &'static str,
}

/// Why there is no socket to talk to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// An instance without a template.
    #[error("-instance needs a template for the socket path; set {0}, as in {0}=/run/example/%i/api.sock")]
    NoTemplate(&'static str),
    /// A template that does not say where the instance goes.
    #[error(
        "the template in {0} has no %i, the place of the instance's name; write one, as in /run/example/%i/api.sock"
    )]
    NoPlace(&'static str),
}

impl SocketFlags {
    /// The socket that the flags and the environment mean.
    ///
    /// # Errors
    /// If there is an instance and no usable template.
    pub fn resolve(
        &self,
        values: &Values,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<PathBuf, SocketError> {
        let instance =
            values.nonempty("instance").map(|name| self.of_instance(name, environment)).transpose()?;
        let explicit = values.given("socketPath").then(|| values.text("socketPath").to_owned());
        let path = explicit
            .or(instance)
            .or_else(|| environment(self.path_variable).filter(|path| !path.is_empty()))
            .unwrap_or_else(|| values.text("socketPath").to_owned());
        // SPIRE also takes a path in the form of a gRPC target.
        let plain = path.strip_prefix("unix://").or_else(|| path.strip_prefix("unix:")).unwrap_or(&path);
        Ok(PathBuf::from(plain))
    }

    fn of_instance(
        &self,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, SocketError> {
        let template = environment(self.template_variable)
            .filter(|template| !template.is_empty())
            .ok_or(SocketError::NoTemplate(self.template_variable))?;
        if !template.contains("%i") {
            return Err(SocketError::NoPlace(self.template_variable));
        }
        Ok(template.replace("%i", name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flag, parse};
    use super::*;

    const FLAGS: &[Flag] = &[Flag::text("socketPath", "").or("/default.sock"), Flag::text("instance", "")];
    const SOCKET: SocketFlags = SocketFlags { path_variable: "SOCKET", template_variable: "TEMPLATE" };

    fn resolve(arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, SocketError> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let values = parse(&[FLAGS], &arguments).unwrap();
        let look_up =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        SOCKET.resolve(&values, &look_up).map(|path| path.display().to_string())
    }

    #[test]
    fn the_flag_comes_before_the_instance_before_the_environment_before_the_default() {
        let environment = &[("SOCKET", "/env.sock"), ("TEMPLATE", "/run/%i.sock")];
        assert_eq!(resolve(&[], &[]).unwrap(), "/default.sock");
        assert_eq!(resolve(&[], environment).unwrap(), "/env.sock");
        assert_eq!(resolve(&["-instance", "x"], environment).unwrap(), "/run/x.sock");
        assert_eq!(resolve(&["-instance", "x", "-socketPath", "/f.sock"], environment).unwrap(), "/f.sock");
        assert_eq!(resolve(&["-socketPath", "unix:///f.sock"], environment).unwrap(), "/f.sock");
    }

    #[test]
    fn an_instance_needs_a_template_with_a_place() {
        assert_eq!(resolve(&["-instance", "x"], &[]), Err(SocketError::NoTemplate("TEMPLATE")));
        assert_eq!(
            resolve(&["-instance", "x"], &[("TEMPLATE", "/run")]),
            Err(SocketError::NoPlace("TEMPLATE"))
        );
    }
}
