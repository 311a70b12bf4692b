//! edge-agent.
