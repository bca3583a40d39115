//! Command lines against a peer that records what it is asked and answers what it is told to.

mod fake;

mod agent_side;
mod authorities;
mod credentials;
mod federation;
mod housekeeping;
mod people;
mod server_side;
mod surface;
