//! Loads a server or an agent over the public wire and reports.
