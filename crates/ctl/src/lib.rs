//! The commands that are clients of server and agent.
