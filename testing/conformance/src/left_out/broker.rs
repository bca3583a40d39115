//! The Broker API and its endpoint.

use super::{LeftOut, left};

pub(super) const ALL: &[LeftOut] = &[
    left(
        "BRK-01",
        "the two profiles are there",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-02",
        "the service has no call of its own",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-03",
        "package and service have their names",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-04",
        "a reference names one entity",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-05",
        "local references stay on their node",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-06",
        "existence is looked at before identity",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-07",
        "each request has one reference",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-08",
        "a reference that is not known is refused",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-09",
        "the server resolves references",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-10",
        "what a client says of itself is not trusted",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-11",
        "brokers guard local references",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-12",
        "a process id is positive",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-13",
        "the process is the workload's own",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-14",
        "an object's kind has plural and group",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-15",
        "the core group is called core",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-16",
        "namespace and name fit the kind",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-17",
        "an object is named by key or by uid",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-18",
        "key and uid must agree",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-19",
        "a uid alone is resolved",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-20",
        "vendors may add references",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-21",
        "a type that is not known is InvalidArgument",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-22",
        "only listed brokers are served",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-23",
        "policy may be finer",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-24",
        "what is one workload's is not another's",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-25",
        "client and server side stay apart",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left("BRK-26", "the connection is kept open", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BRK-27",
        "the end of a workload ends one stream",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-28",
        "each message is the full state",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-29",
        "the first message comes at once",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left("BRK-30", "brokers spread their updates", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BRK-31",
        "an empty field replaces the old value",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-32",
        "mandatory fields are there",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-33",
        "bundles are picked by trust domain",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-34",
        "each refusal has its code",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-35",
        "refusals carry their details",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left("BRK-36", "brokers work without details", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BRK-37",
        "a workload's end ends its stream",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-38",
        "brokers drop what an ended workload had",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-39",
        "an ended workload is told from a new one",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-40",
        "SVIDs are for their workload alone",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-41",
        "there is at least one SVID, all fields filled",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-42",
        "hints are unique, and the first counts",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-43",
        "an absent workload has its code",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-44",
        "what is taken back is no longer used",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-45",
        "X.509 bundles are for X.509-SVIDs",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-46",
        "the own bundle is always there",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-47",
        "refusals of bundles have their codes",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-48",
        "the default identity is the first",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-49",
        "identities are labelled by their hints",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-50",
        "the audience goes into the token",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-51",
        "an ID picks the identity",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-52",
        "there is at least one token, all fields filled",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-53",
        "refusals of tokens have their codes",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-54",
        "the own keys are always there",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-55",
        "keys of other uses are not",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BRK-56",
        "JWT bundles are for JWT-SVIDs",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BRK-57",
        "refusals of keys have their codes",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left("BEP-01", "only brokers reach the endpoint", "it binds operators"),
    left("BEP-02", "it speaks gRPC", "it binds the Broker API's server, which Bonafide does not have yet"),
    left("BEP-03", "each request has the header", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BEP-04",
        "a request without the header is refused",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-05",
        "InvalidArgument is not tried again",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BEP-06",
        "both sides have X.509-SVIDs, on Unix sockets too",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left("BEP-07", "SPIFFE_BROKER_SOCKET is read", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BEP-08",
        "addresses of Unix sockets have their form",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BEP-09",
        "addresses on TCP may have names",
        "it binds brokers, clients that are not part of Bonafide",
    ),
    left(
        "BEP-10",
        "only listed brokers are served",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left("BEP-11", "brokers know whom they call", "it binds brokers, clients that are not part of Bonafide"),
    left(
        "BEP-12",
        "resumed sessions are judged again",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-13",
        "Unavailable may be tried again",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-14",
        "an unknown caller is Unauthenticated",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-15",
        "a known caller that may not is PermissionDenied",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-16",
        "the Broker API is there",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
    left(
        "BEP-17",
        "there is reflection",
        "it binds the Broker API's server, which Bonafide does not have yet",
    ),
];
