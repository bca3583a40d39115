//! Workload identity that needs no secret: server, agent and their commands in one program.
fn main() {}
