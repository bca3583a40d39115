//! Load on a server: signatures over mutual TLS as an agent, entries over the admin socket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::server::svid::v1::{BatchNewX509svidRequest, NewJwtsvidRequest, NewX509svidParams};
use spiffe::SpiffeId;
use spiffe::key::{KeyType, PrivateKey};
use spiffe::x509::Csr;
use tonic::transport::Channel;

use crate::admin::{self, Admin, BATCH};
use crate::fault::Fault;
use crate::node::Node;
use crate::press::{Plan, press};
use crate::process::Process;
use crate::report::{Figure, Measured, Report};

/// As many SVIDs as go into one call of a busy agent.
const MANY: usize = 100;
/// Requests are made beforehand, so that this process is not what is measured.
const REQUESTS: usize = 256;
/// Before each measurement, so that connections and caches are warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// Names of the measurements.
pub(crate) const ONE_A_CALL: &str = "X.509-SVIDs, one a call";
/// The same for a hundred.
pub(crate) const MANY_A_CALL: &str = "X.509-SVIDs, a hundred a call";
/// The same for tokens.
pub(crate) const JWT: &str = "JWT-SVIDs, one a call";
/// The same for entries.
pub(crate) const ENTRIES: &str = "entries created, fifty a call";

/// What to load, and how.
pub(crate) struct Settings {
    pub(crate) socket: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) process: Option<Process>,
    pub(crate) callers: usize,
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    pub(crate) entries: u64,
    pub(crate) keep: bool,
}

/// Measures all of it.
pub(crate) async fn measure(settings: &Settings) -> Result<Report, Fault> {
    let admin = Admin::connect(&settings.socket).await?;
    let mut report = Report::default();
    if !settings.duration.is_zero() {
        let node = Node::join(&admin, settings.address, settings.connections).await?;
        let mine = admin.create(own_entries(&node.id)).await?;
        let measured = signatures(settings, &node, &mine, &mut report).await;
        // What was made is removed, however the measuring went.
        let removed = admin.delete(&mine).await;
        let evicted = admin.evict(&node.id).await;
        measured.and(removed).and(evicted)?;
    }
    if settings.entries > 0 {
        report.push(entries(settings, &admin).await?);
    }
    if let Some(process) = settings.process {
        let figures = vec![Figure::bytes("resident", process.resident()?)];
        report.push(Measured { what: "memory of the server".to_owned(), figures });
    }
    Ok(report)
}

fn own_entries(agent: &SpiffeId) -> Vec<proto::spire::api::types::Entry> {
    let run = admin::run_name();
    (0..MANY).map(|n| admin::entry(agent, &format!("/load/{run}/{n}"), "uid:4294967294")).collect()
}

async fn signatures(
    settings: &Settings,
    node: &Node,
    entries: &[String],
    report: &mut Report,
) -> Result<(), Fault> {
    let requests = Arc::new(requests()?);
    let clients: Arc<Vec<_>> = Arc::new(node.channels.iter().cloned().map(SvidClient::new).collect());
    for (what, size) in [(ONE_A_CALL, 1), (MANY_A_CALL, MANY)] {
        let (clients, requests, entries) = (clients.clone(), requests.clone(), Arc::new(entries.to_vec()));
        let call = move |caller: usize, number: u64| {
            let params =
                (0..size).filter_map(|at| param(&entries, &requests, number as usize * size + at)).collect();
            x509(pick(&clients, caller), params, size)
        };
        report.push(timed(settings, call).await?.measured(what, size as u64));
    }
    let entries = entries.to_vec();
    let call = move |caller: usize, number: u64| jwt(pick(&clients, caller), entries.clone(), number);
    report.push(timed(settings, call).await?.measured(JWT, 1));
    Ok(())
}

/// Warms up, then measures.
async fn timed<C, F>(settings: &Settings, call: C) -> Result<crate::press::Outcome, Fault>
where
    C: Fn(usize, u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let call = Arc::new(call);
    let plan = Plan { callers: settings.callers, calls: u64::MAX, duration: WARM_UP };
    let again = call.clone();
    press(plan, None, move |caller, number| again(caller, number)).await?;
    let plan = Plan { duration: settings.duration, ..plan };
    press(plan, settings.process, move |caller, number| call(caller, number)).await
}

type Client = SvidClient<Channel>;

fn pick(clients: &[Client], caller: usize) -> Option<Client> {
    clients.get(caller % clients.len().max(1)).cloned()
}

fn param(entries: &[String], requests: &[Vec<u8>], number: usize) -> Option<NewX509svidParams> {
    let entry_id = entries.get(number % entries.len().max(1))?.clone();
    let csr = requests.get(number % requests.len().max(1))?.clone();
    Some(NewX509svidParams { entry_id, csr })
}

async fn x509(client: Option<Client>, params: Vec<NewX509svidParams>, wanted: usize) -> Result<(), Fault> {
    const DOING: &str = "asking for X.509-SVIDs";
    let mut client = client.ok_or(Fault::Answer { doing: DOING, what: "there is no connection" })?;
    let answer =
        client.batch_new_x509svid(BatchNewX509svidRequest { params }).await.map_err(Fault::call(DOING))?;
    let results = answer.into_inner().results;
    let refused = results.iter().filter_map(|r| r.status.as_ref()).find(|status| status.code != 0);
    match refused {
        Some(status) => Err(Fault::Refused { doing: DOING, message: status.message.clone() }),
        None if results.iter().filter(|r| r.svid.is_some()).count() == wanted => Ok(()),
        None => Err(Fault::Answer { doing: DOING, what: "SVIDs are missing from it" }),
    }
}

async fn jwt(client: Option<Client>, entries: Vec<String>, number: u64) -> Result<(), Fault> {
    const DOING: &str = "asking for a JWT-SVID";
    let mut client = client.ok_or(Fault::Answer { doing: DOING, what: "there is no connection" })?;
    let entry_id = entries.get(number as usize % entries.len().max(1)).cloned().unwrap_or_default();
    let request = NewJwtsvidRequest { entry_id, audience: vec!["load".to_owned()] };
    let answer = client.new_jwtsvid(request).await.map_err(Fault::call(DOING))?;
    match answer.into_inner().svid {
        Some(_) => Ok(()),
        None => Err(Fault::Answer { doing: DOING, what: "the SVID is missing from it" }),
    }
}

fn requests() -> Result<Vec<Vec<u8>>, Fault> {
    let one = |_| {
        let key = PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials)?;
        Csr::build(&key, None, &[]).map_err(Fault::credentials)
    };
    (0..REQUESTS).map(one).collect()
}

async fn entries(settings: &Settings, admin: &Admin) -> Result<Measured, Fault> {
    let (run, made) = (admin::run_name(), Arc::new(Mutex::new(Vec::new())));
    let bundle = admin.bundle().await?;
    let parent = SpiffeId::new(bundle.trust_domain(), "/load/parent").map_err(Fault::credentials)?;
    let calls = settings.entries.div_ceil(BATCH as u64);
    let plan = Plan { callers: settings.callers, calls, duration: Duration::from_secs(600) };
    let (client, ids) = (admin.clone(), made.clone());
    let outcome = press(plan, settings.process, move |_, number| {
        let (client, ids) = (client.clone(), ids.clone());
        let path = |at| format!("/load/{run}/{number}/{at}");
        let batch = (0..BATCH).map(|at| admin::entry(&parent, &path(at), "uid:4294967294")).collect();
        async move {
            let created = client.create(batch).await?;
            ids.lock().unwrap_or_else(PoisonError::into_inner).extend(created);
            Ok(())
        }
    })
    .await;
    if !settings.keep {
        let ids = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
        admin.delete(&ids).await?;
    }
    Ok(outcome?.measured(ENTRIES, BATCH as u64))
}
