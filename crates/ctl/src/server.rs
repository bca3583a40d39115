//! The commands that are clients of a server's private socket.

use kit::flags::{Command, Flag, SocketFlags, Values};
use tonic::transport::Channel;

use crate::Table;
use crate::connect::{Peer, connect};
use crate::fault::Fault;
use crate::terminal::Terminal;

mod agents;
mod bundle;
mod debug;
mod entry;
mod federation;
mod healthcheck;
mod jwt_mint;
mod local_authority;
mod logger;
mod token;
mod wit_mint;
mod x509_mint;

/// The longest answer that a command takes.
const LONGEST_ANSWER: usize = 256 << 20;

/// How a command finds the server.
const SOCKET: &[Flag] = &[
    Flag::file("socketPath", "The path of the server's API socket (env SPIRE_SERVER_PRIVATE_SOCKET)")
        .or("/tmp/spire-server/private/api.sock"),
    Flag::text(
        "instance",
        "The instance that stands for %i in the path of SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE",
    ),
];

const VARIABLES: SocketFlags = SocketFlags {
    path_variable: "SPIRE_SERVER_PRIVATE_SOCKET",
    template_variable: "SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE",
};

/// All commands.
pub(crate) const TABLE: Table = &[
    (&healthcheck::COMMAND, |v, t| Box::pin(healthcheck::run(v, t))),
    (&token::COMMAND, |v, t| Box::pin(token::run(v, t))),
    (&agents::list::COMMAND, |v, t| Box::pin(agents::list::run(v, t))),
    (&agents::count::COMMAND, |v, t| Box::pin(agents::count::run(v, t))),
    (&agents::show::COMMAND, |v, t| Box::pin(agents::show::run(v, t))),
    (&agents::ban::COMMAND, |v, t| Box::pin(agents::ban::run(v, t))),
    (&agents::evict::COMMAND, |v, t| Box::pin(agents::evict::run(v, t))),
    (&agents::purge::COMMAND, |v, t| Box::pin(agents::purge::run(v, t))),
    (&entry::create::COMMAND, |v, t| Box::pin(entry::create::run(v, t))),
    (&entry::update::COMMAND, |v, t| Box::pin(entry::update::run(v, t))),
    (&entry::show::COMMAND, |v, t| Box::pin(entry::show::run(v, t))),
    (&entry::count::COMMAND, |v, t| Box::pin(entry::count::run(v, t))),
    (&entry::delete::COMMAND, |v, t| Box::pin(entry::delete::run(v, t))),
    (&bundle::show::COMMAND, |v, t| Box::pin(bundle::show::run(v, t))),
    (&bundle::list::COMMAND, |v, t| Box::pin(bundle::list::run(v, t))),
    (&bundle::set::COMMAND, |v, t| Box::pin(bundle::set::run(v, t))),
    (&bundle::delete::COMMAND, |v, t| Box::pin(bundle::delete::run(v, t))),
    (&bundle::count::COMMAND, |v, t| Box::pin(bundle::count::run(v, t))),
    (&federation::create::COMMAND, |v, t| Box::pin(federation::create::run(v, t))),
    (&federation::update::COMMAND, |v, t| Box::pin(federation::update::run(v, t))),
    (&federation::delete::COMMAND, |v, t| Box::pin(federation::delete::run(v, t))),
    (&federation::refresh::COMMAND, |v, t| Box::pin(federation::refresh::run(v, t))),
    (&federation::list::COMMAND, |v, t| Box::pin(federation::list::run(v, t))),
    (&federation::show::COMMAND, |v, t| Box::pin(federation::show::run(v, t))),
    (&debug::COMMAND, |v, t| Box::pin(debug::run(v, t))),
    (&logger::GET, |v, t| Box::pin(logger::get(v, t))),
    (&logger::SET, |v, t| Box::pin(logger::set(v, t))),
    (&logger::RESET, |v, t| Box::pin(logger::reset(v, t))),
    (&x509_mint::COMMAND, |v, t| Box::pin(x509_mint::run(v, t))),
    (&jwt_mint::COMMAND, |v, t| Box::pin(jwt_mint::run(v, t))),
    (&wit_mint::COMMAND, |v, t| Box::pin(wit_mint::run(v, t))),
    (&local_authority::show::X509, |v, t| Box::pin(local_authority::show::x509(v, t))),
    (&local_authority::show::JWT, |v, t| Box::pin(local_authority::show::jwt(v, t))),
    (&local_authority::prepare::X509, |v, t| Box::pin(local_authority::prepare::x509(v, t))),
    (&local_authority::prepare::JWT, |v, t| Box::pin(local_authority::prepare::jwt(v, t))),
    (&local_authority::activate::X509, |v, t| Box::pin(local_authority::activate::x509(v, t))),
    (&local_authority::activate::JWT, |v, t| Box::pin(local_authority::activate::jwt(v, t))),
    (&local_authority::taint::X509, |v, t| Box::pin(local_authority::taint::x509(v, t))),
    (&local_authority::taint::JWT, |v, t| Box::pin(local_authority::taint::jwt(v, t))),
    (&local_authority::revoke::X509, |v, t| Box::pin(local_authority::revoke::x509(v, t))),
    (&local_authority::revoke::JWT, |v, t| Box::pin(local_authority::revoke::jwt(v, t))),
    (&local_authority::upstream::TAINT, |v, t| Box::pin(local_authority::upstream::taint(v, t))),
    (&local_authority::upstream::REVOKE, |v, t| Box::pin(local_authority::upstream::revoke(v, t))),
];

/// A channel to the server that the flags and the environment mean.
async fn dial(values: &Values, terminal: &Terminal<'_>) -> Result<Channel, Fault> {
    let path = VARIABLES.resolve(values, terminal.environment)?;
    Ok(connect(Peer::Server, &path).await?)
}

/// A row of the table.
const fn command(path: &'static str, summary: &'static str, flags: &'static [&'static [Flag]]) -> Command {
    Command::new(path, summary, flags)
}
