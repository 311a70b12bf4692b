//! Encryption towards the broker, with a certificate authority of our own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{path::PathBuf, sync::Arc, time::Duration};

use edge_agent::{
    config::Broker as Address,
    evidence::{self, UploadConfig, UploadState},
    link::{Link, LinkConfig, LinkEnv, LinkState, TlsError},
};
use protocol::{EdgeHealth, EvidenceKind, ReportedState, Secret};
use runtime::{SystemClock, Tasks};
use support::{Broker, SECRET, blob, edge_id, event, open_outbox};
use tempfile::TempDir;
use tokio::sync::watch;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

async fn link(port: u16, ca_file: PathBuf, tasks: &Tasks) -> Result<Link, TlsError> {
    let folder = TempDir::new().unwrap();
    let config = LinkConfig {
        edge: edge_id(),
        secret: Secret::new(SECRET),
        broker: Address { host: "127.0.0.1".into(), port, tls: true },
        ca_file: Some(ca_file),
        resend_after: Duration::from_secs(15),
    };
    let env = LinkEnv {
        outbox: open_outbox(folder.path()).await,
        clock: Arc::new(SystemClock),
        health: watch::channel(EdgeHealth::default()).1,
        reported: watch::channel(ReportedState::default()).1,
    };
    Link::start(config, env, tasks).await
}

async fn upload(port: u16, ca_file: PathBuf, folder: &TempDir, tasks: &Tasks) -> watch::Receiver<UploadState> {
    let outbox = open_outbox(folder.path()).await;
    outbox.commit(&event(1), &[blob(EvidenceKind::Snapshot, vec![1, 2, 3])]).await.unwrap();
    let plane = format!("https://127.0.0.1:{port}/").parse().unwrap();
    let config = UploadConfig { edge: edge_id(), secret: Secret::new(SECRET), plane, ca_file: Some(ca_file) };
    evidence::start(config, outbox, Arc::new(SystemClock), tasks).await.unwrap()
}

#[tokio::test]
async fn trusts_the_given_authority_and_no_other() {
    let extra = format!("certfile {}\nkeyfile {}\n", file("server.pem").display(), file("server.key").display());
    let broker = Broker::start_with(&extra).await;
    let tasks = Tasks::default();
    let mut state = link(broker.port, file("ca.pem"), &tasks).await.unwrap().state();
    state.wait_for(|s| *s == LinkState::Online).await.unwrap();

    // The server's own certificate signs nothing.
    let mut state = link(broker.port, file("server.pem"), &tasks).await.unwrap().state();
    let state = state.wait_for(|s| *s != LinkState::Connecting).await.unwrap().clone();
    let LinkState::Unreachable { detail } = state else { panic!("{state:?}") };
    assert!(detail.starts_with("no encrypted connection to the broker 127.0.0.1:"), "{detail}");
    assert!(detail.ends_with("; check ca_file"), "{detail}");

    // Uploads trust the same. MQTT is no HTTP, but to find that out the handshake must have succeeded.
    for (ca_file, expect) in [("ca.pem", "broke the connection"), ("server.pem", "cannot be reached")] {
        let folder = TempDir::new().unwrap();
        let mut state = upload(broker.port, file(ca_file), &folder, &tasks).await;
        let state = state.wait_for(|s| *s != UploadState::Good).await.unwrap().clone();
        assert_eq!(state, UploadState::Waiting { detail: format!("the control plane at 127.0.0.1 {expect}") });
    }

    let refused = link(broker.port, file("server.key"), &tasks).await.unwrap_err();
    assert!(refused.to_string().ends_with("server.key cannot be read as PEM certificates: it has no certificate"));
}
