//! Calls: how many, how they ended, how long they took.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use metrics::{Key, Label, Recorder};
use tonic::Code;

use super::describe::{Described, Kind};
use super::family::{Family, key};
use super::method::method_name;
use super::set::{SAMPLES, Set, TIMES};

/// The label that says how a call ended, by the name of its gRPC code.
const STATUS: &str = "status";
/// How many gRPC codes there are.
const CODES: usize = 17;

/// The handles of a call that ended one way.
#[derive(Clone)]
struct Ended {
    count: metrics::Counter,
    took: metrics::Histogram,
}

impl Ended {
    fn new(recorder: &dyn Recorder, key: &Key, code: Code) -> Self {
        let labels: Vec<Label> =
            key.labels().cloned().chain([Label::from_static_parts(STATUS, code_name(code))]).collect();
        let timer = Key::from_parts(format!("{}.elapsed_time", key.name()), labels.clone());
        Self {
            count: recorder.register_counter(&Key::from_parts(key.name().to_owned(), labels), &SAMPLES),
            took: recorder.register_histogram(&timer, &TIMES),
        }
    }
}

/// The handles of a call by how it ended.
type ByCode = [OnceLock<Ended>; CODES];

/// The same with the key they are asked for by.
type Handles = Arc<(Key, ByCode)>;

fn ended(
    handles: &ByCode,
    recorder: Option<&(dyn Recorder + Send + Sync)>,
    key: &Key,
    code: Code,
    took: f64,
) {
    let (Some(handle), Some(recorder)) = (handles.get(code as usize), recorder) else { return };
    let ended = handle.get_or_init(|| Ended::new(recorder, key, code));
    ended.count.increment(1);
    ended.took.record(took);
}

/// Handles that are asked for when a call first ends that way.
fn unasked(key: Key) -> Handles {
    Arc::new((key, std::array::from_fn(|_| OnceLock::new())))
}

/// Calls of one kind, with the labels that are declared.
pub struct Call {
    family: Family<Handles>,
    set: &'static Set,
}

impl Call {
    /// Declares it; see [`metrics!`](crate::metrics!).
    #[must_use]
    pub const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { family: Family::new(set, name, labels, help), set }
    }

    /// A call begins, for the labels' `values` in the order they are declared. One that is dropped before it is done
    /// counts as cancelled.
    #[must_use = "it is counted when it is done"]
    pub fn start(&self, values: &[&str]) -> Running {
        let mut handles = None;
        let make =
            |_: &dyn Recorder, values: &[&str]| unasked(key(self.family.name, self.family.labels, values));
        self.family.with(values, make, |found| handles = Some(found.clone()));
        Running { handles, set: self.set, began: Instant::now() }
    }

    /// Counts a call that is over by its result: `code` says how an error counts.
    pub fn over<T, E>(&self, began: Instant, result: &Result<T, E>, code: impl FnOnce(&E) -> Code) {
        let mut running = self.start(&[]);
        running.began = began;
        running.done(result.as_ref().err().map_or(Code::Ok, code));
    }
}

impl Described for Call {
    fn name(&self) -> &'static str {
        self.family.name
    }
    fn kind(&self) -> Kind {
        Kind::Call
    }
    fn labels(&self) -> &'static [&'static str] {
        self.family.labels
    }
    fn help(&self) -> &'static str {
        self.family.help
    }
}

/// The calls of an API, one metric a method.
pub struct RpcCalls {
    set: &'static Set,
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    by_method: LazyLock<RwLock<HashMap<&'static str, Handles>>>,
}

impl RpcCalls {
    /// Declares them: `name` ends in `.<service>.<method>`. See [`metrics!`](crate::metrics!).
    #[must_use]
    pub const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { set, name, labels, help, by_method: LazyLock::new(RwLock::default) }
    }

    /// A call of `method` begins, which comes as `/package.Service/Method` and is one of a list that is fixed.
    #[must_use = "it is counted when it is done"]
    pub fn start(&self, method: &'static str) -> Running {
        let handles = self.set.is_installed().then(|| self.handles(method));
        Running { handles, set: self.set, began: Instant::now() }
    }

    fn handles(&self, method: &'static str) -> Handles {
        let known = self.by_method.read().unwrap_or_else(PoisonError::into_inner).get(method).cloned();
        known.unwrap_or_else(|| {
            let first = self.name.split('.').next().unwrap_or(self.name);
            let key = Key::from_name(format!("{first}.{}", method_name(method)));
            self.set.describe(
                key.name().to_owned(),
                Kind::Call,
                &format!("{} This one: {method}.", self.help.trim()),
            );
            let mut by_method = self.by_method.write().unwrap_or_else(PoisonError::into_inner);
            by_method.entry(method).or_insert_with(|| unasked(key)).clone()
        })
    }
}

impl Described for RpcCalls {
    fn name(&self) -> &'static str {
        self.name
    }
    fn kind(&self) -> Kind {
        Kind::Call
    }
    fn labels(&self) -> &'static [&'static str] {
        self.labels
    }
    fn help(&self) -> &'static str {
        self.help
    }
}

/// A call under way.
pub struct Running {
    handles: Option<Handles>,
    set: &'static Set,
    began: Instant,
}

impl Running {
    /// The call is over.
    pub fn done(mut self, code: Code) {
        self.count(code);
    }

    /// The call is over: `code` says how an error counts.
    pub fn with<T, E>(self, result: &Result<T, E>, code: impl FnOnce(&E) -> Code) {
        self.done(result.as_ref().err().map_or(Code::Ok, code));
    }

    /// Whether anything is done with it.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.handles.is_some()
    }

    /// The call is not to be counted.
    pub fn discard(mut self) {
        self.handles = None;
    }

    fn count(&mut self, code: Code) {
        let Some(handles) = self.handles.take() else { return };
        let took = self.began.elapsed().as_secs_f64() * 1000.0;
        ended(&handles.1, self.set.recorder(), &handles.0, code, took);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.count(Code::Cancelled);
    }
}

/// A code as Go's gRPC names it.
#[must_use]
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}
