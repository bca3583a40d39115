//! Bundle endpoints.

use super::{LeftOut, left, shown};

pub(super) const ALL: &[LeftOut] = &[
    shown(
        "FED-02",
        "it binds the schedule of an issuer",
        "crates/server/src/authority/schedule.rs",
        "a_day_long_authority_prepares_at_half_and_yields_at_a_sixth",
    ),
    shown(
        "FED-03",
        "it binds the order of an issuer's steps",
        "crates/server/src/authority/tests/lives.rs",
        "a_successor_is_published_at_half_life_and_takes_over_at_five_sixths",
    ),
    shown(
        "FED-04",
        "it binds the order of an issuer's steps",
        "crates/server/src/authority/tests/lives.rs",
        "ten_rotations_never_leave_an_svid_unverifiable_and_old_authorities_go_after_a_day",
    ),
    left(
        "FED-06",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-08", "it binds operators"),
    left(
        "FED-11",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-15",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-16", "it binds operators"),
    left(
        "FED-17",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-18",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-20",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-22",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-31",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-32",
        "it binds the server of a bundle endpoint: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-37",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-39",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left("FED-40", "it binds operators"),
    left(
        "FED-41",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-42",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
    left(
        "FED-44",
        "it binds the client of a bundle endpoint over time or over a connection: no input of a reader or writer of documents shows it",
    ),
];
