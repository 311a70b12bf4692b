//! stream-gateway.
