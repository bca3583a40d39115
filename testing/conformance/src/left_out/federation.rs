//! Bundle endpoints.

use super::{LeftOut, left, shown};

pub(super) const ALL: &[LeftOut] = &[
    shown(
        "FED-02",
        "new keys are published three to five refreshes ahead",
        "it binds the schedule of an issuer",
        "crates/server/src/authority/schedule.rs",
        "a_day_long_authority_prepares_at_half_and_yields_at_a_sixth",
    ),
    shown(
        "FED-03",
        "nothing is signed with a key that is not published",
        "it binds the order of an issuer's steps",
        "crates/server/src/authority/tests/lives.rs",
        "a_successor_is_published_at_half_life_and_takes_over_at_five_sixths",
    ),
    shown(
        "FED-04",
        "a key stays until nothing depends on it",
        "it binds the order of an issuer's steps",
        "crates/server/src/authority/tests/lives.rs",
        "ten_rotations_never_leave_an_svid_unverifiable_and_old_authorities_go_after_a_day",
    ),
    left(
        "FED-06",
        "the latest bundle is stored",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-08", "an operator may set the bundle", "it binds operators"),
    left(
        "FED-11",
        "TLS is as Mozilla's intermediate profile has it",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-15",
        "https_web needs no more settings",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-16", "https_web uses a public authority", "it binds operators"),
    left(
        "FED-17",
        "the certificate names the host",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-18",
        "https_web asks for no credential",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-20",
        "the type of the content is JSON",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-22",
        "the host is the one in the certificate",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-31",
        "https_spiffe asks for no credential",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-32",
        "the newest bundle is served",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-37",
        "the trust domain is known before",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-39",
        "each refresh begins at the configured URL",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-40", "a relationship has one direction", "it binds operators"),
    left(
        "FED-41",
        "after a failure the next interval is waited for",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-42",
        "an end of a relationship reaches the workloads",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-44",
        "each fetch is logged",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
];
