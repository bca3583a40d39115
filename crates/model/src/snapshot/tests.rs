//! Tests of the snapshot and the graph.
