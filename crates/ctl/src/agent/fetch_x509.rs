//! `api fetch` and `api fetch x509`.

use std::path::Path;
use std::time::Duration;

use kit::flags::{Command, Example, Flag, Values};
use proto::workload::X509svidRequest;
use spiffe::pem;
use spiffe::x509::X509Svid;

use super::received::{Received, print, read};
use super::{SOCKET, TIMEOUT, command, dial, first, request, within};
use crate::fault::Fault;
use crate::file::{self, Readers};
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[
    Flag::switch("silent", "Print nothing about the SVIDs"),
    Flag::folder("write", "The folder to write SVIDs, keys and bundles to; not for -output json"),
];

const ALL: &[&[Flag]] = &[SOCKET, TIMEOUT, output::FLAGS, FLAGS];

pub(super) static COMMAND: Command =
    command("api fetch x509", "Fetches X.509-SVIDs from the Workload API", ALL)
        .with(&[Example::new("Into files for a program that reads files", "-write ./identity")]);

pub(super) static SHORT: Command = command("api fetch", "Fetches X.509-SVIDs from the Workload API", ALL)
    .with(&[Example::new("What this user's programs would get", "")]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = dial(values, terminal).await?;
    let start = terminal.clock.now();
    let call = async { first(client.fetch_x509svid(request(X509svidRequest {})).await?.into_inner()).await };
    let answer = within(values.duration("timeout"), "", call).await?;
    let now = terminal.clock.now();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }

    let received = read(&answer, now)?;
    if !values.switch("silent") {
        let took = now.duration_since(start).unwrap_or(Duration::ZERO);
        print(&received, took, terminal.out)?;
    }
    match values.nonempty("write") {
        Some(folder) => write(&received, Path::new(folder), terminal),
        None => Ok(()),
    }
}

fn chain(svid: &X509Svid) -> String {
    svid.chain().iter().map(|certificate| pem::encode(pem::CERTIFICATE, certificate.der())).collect()
}

fn write(received: &Received, folder: &Path, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    for (at, svid) in received.svids.iter().enumerate() {
        let path = folder.join(format!("svid.{at}.pem"));
        writeln!(terminal.out, "Writing SVID #{at} to file {}.", path.display())?;
        file::write(&path, chain(&svid.svid).as_bytes(), Readers::All)?;

        let path = folder.join(format!("svid.{at}.key"));
        writeln!(terminal.out, "Writing key #{at} to file {}.", path.display())?;
        let key = zeroize::Zeroizing::new(pem::encode(pem::PRIVATE_KEY, &svid.key.to_pkcs8()));
        file::write(&path, key.as_bytes(), Readers::Owner)?;

        let path = folder.join(format!("bundle.{at}.pem"));
        writeln!(terminal.out, "Writing bundle #{at} to file {}.", path.display())?;
        file::write(&path, svid.bundle.to_pem().as_bytes(), Readers::All)?;

        for (number, (domain, bundle)) in received.federated.iter().enumerate() {
            let path = folder.join(format!("federated_bundle.{at}.{number}.pem"));
            writeln!(
                terminal.out,
                "Writing federated bundle #{number} for trust domain {domain} to file {}.",
                path.display()
            )?;
            file::write(&path, bundle.to_pem().as_bytes(), Readers::All)?;
        }
    }
    Ok(())
}
