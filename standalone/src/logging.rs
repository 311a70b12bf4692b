//! One way to log for every role.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Logs to standard error; `filter` as of `tracing` (`info,edge_agent=debug`).
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}
