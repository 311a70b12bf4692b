//! Prints the API document: `cargo run -p control-plane --example openapi > docs/openapi.json`.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    writeln!(std::io::stdout(), "{}", control_plane::document().to_pretty_json()?)?;
    Ok(())
}
