//! Why the agent believes the first server that it talks to.

use std::path::PathBuf;

use spiffe::bundle::{BundleForm, UnknownForm};

use super::super::block::Block;
use super::super::given::{Given, flag_or, switch_or};
use super::super::problem::{Notice, Problem};
use super::Overrides;

/// Why the agent believes the first server that it talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// A bundle in a file.
    File {
        /// The file.
        path: PathBuf,
        /// How it is written.
        format: BundleForm,
    },
    /// A bundle that is fetched.
    Url {
        /// Where from: `https://`, or `http://` over a socket.
        url: String,
        /// How it is written.
        format: BundleForm,
        /// The socket to fetch it over.
        unix_socket: Option<PathBuf>,
    },
    /// None: whoever answers first is believed.
    Insecure,
}

/// Reads the keys of which exactly one says how to bootstrap.
pub(super) fn read(block: &Block<'_>, flags: &Overrides) -> Option<Bootstrap> {
    let insecure =
        switch_or("-insecureBootstrap", flags.insecure_bootstrap, block.switch("insecure_bootstrap"))
            .filter(|given| given.value);
    let path = flag_or("-trustBundle", flags.trust_bundle.as_deref(), block.text("trust_bundle_path"));
    let url = flag_or("-trustBundleUrl", flags.trust_bundle_url.as_deref(), block.text("trust_bundle_url"));
    let socket = block.text("trust_bundle_unix_socket");
    let other = block.text("trust_bundle_spiffe_workload_api");
    block.not_yet_unless(
        "trust_bundle_spiffe_workload_api",
        "fetch the bundle from another Workload API",
        super::is_empty,
    );
    let format = format(block, flags)?;

    let places: Vec<_> = [
        ("insecure_bootstrap", insecure.as_ref().map(|given| &given.place)),
        ("trust_bundle_path", path.as_ref().map(|given| &given.place)),
        ("trust_bundle_url", url.as_ref().map(|given| &given.place)),
        ("trust_bundle_spiffe_workload_api", other.as_ref().map(|given| &given.place)),
    ]
    .into_iter()
    .filter_map(|(key, place)| Some((key, place?)))
    .collect();
    if let [_, .., (_, last)] = places.as_slice() {
        let keys = places.iter().map(|(key, _)| *key).collect();
        block.mistake((*last).clone(), Problem::OnlyOne(keys));
        return None;
    }
    if let (Some(socket), None) = (&socket, &url) {
        let key = "trust_bundle_unix_socket".to_owned();
        block.mistake(socket.place.clone(), Problem::Needs { key, needs: "trust_bundle_url" });
        return None;
    }
    if let Some(given) = insecure {
        block.warn(given.place, Notice::InsecureBootstrap);
        return Some(Bootstrap::Insecure);
    }
    if let Some(given) = path {
        return Some(Bootstrap::File { path: given.value.into(), format });
    }
    if let Some(given) = url {
        let url = checked(block, given, socket.is_some())?;
        return Some(Bootstrap::Url { url, format, unix_socket: socket.map(|given| given.value.into()) });
    }
    if other.is_none() {
        let key = "trust_bundle_path, trust_bundle_url or insecure_bootstrap";
        block.required(key, "without one the agent cannot tell the server from an impostor");
    }
    None
}

fn format(block: &Block<'_>, flags: &Overrides) -> Option<BundleForm> {
    let given = flag_or(
        "-trustBundleFormat",
        flags.trust_bundle_format.as_deref(),
        block.text("trust_bundle_format"),
    );
    let Some(Given { value, place }) = given else {
        return Some(BundleForm::Pem);
    };
    let form: Result<BundleForm, UnknownForm> = value.parse();
    form.inspect_err(|_| {
        let (key, why) = ("trust_bundle_format".to_owned(), "it must be \"pem\" or \"spiffe\"".to_owned());
        block.mistake(place, Problem::BadValue { key, value, why });
    })
    .ok()
}

/// Over a socket the scheme is `http` and no parameter may look like those that the agent adds.
fn checked(block: &Block<'_>, given: Given<String>, over_socket: bool) -> Option<String> {
    let Given { value, place } = given;
    let scheme = value.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    let why = match (scheme.as_str(), over_socket) {
        ("http", true) => reserved_parameter(&value).map(|name| {
            format!("its parameter {name:?} begins with a prefix that the agent keeps for itself")
        }),
        (_, true) => Some("with trust_bundle_unix_socket it must begin with http://".to_owned()),
        ("https", false) => None,
        (_, false) => Some("it must begin with https://".to_owned()),
    };
    match why {
        None => Some(value),
        Some(why) => {
            block.mistake(place, Problem::BadValue { key: "trust_bundle_url".to_owned(), value, why });
            None
        }
    }
}

fn reserved_parameter(url: &str) -> Option<&str> {
    let query = url.split_once('?')?.1;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query
        .split(['&', ';'])
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .find(|name| name.starts_with("spire-") || name.starts_with("spiffe-"))
}
