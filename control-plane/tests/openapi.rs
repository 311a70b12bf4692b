//! The committed API document is the one the routes say.

#[test]
fn the_committed_document_is_current() {
    let generated = format!("{}\n", control_plane::document().to_pretty_json().unwrap());
    let committed = include_str!("../../docs/openapi.json");
    assert!(
        generated == committed,
        "docs/openapi.json is stale: run `cargo run -p control-plane --example openapi > docs/openapi.json` and \
         generate the console's client anew"
    );
}
