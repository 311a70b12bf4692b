//! The outbox survives SIGKILL at any point: a child process commits, the parent kills it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use protocol::EvidenceKind;
use support::{blob, event, open_outbox};
use tempfile::TempDir;

/// The child: run only by the test below, in a process of its own.
#[tokio::test]
#[ignore = "runs as the child of the other test"]
async fn child_commits_until_killed() {
    let Some(folder) = std::env::var_os("OUTBOX_FOLDER") else { return };
    let outbox = open_outbox(Path::new(&folder)).await;
    let first = outbox.counts().events as u32;
    for n in first.. {
        let picture = blob(EvidenceKind::Snapshot, n.to_le_bytes().repeat(500));
        outbox.commit(&event(n), &[picture]).await.unwrap();
        println!("committed {n}");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_sigkill() {
    let folder = TempDir::new().unwrap();
    let mut last = None;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_commits_until_killed", "--ignored", "--nocapture"])
            .env("OUTBOX_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut committed = 0;
        // The kill lands wherever the child is a few commits later, differently far into one each round.
        while committed < 5 + round * 3 {
            let line = lines.next().expect("the child goes on").unwrap();
            if let Some(n) = line.strip_prefix("committed ") {
                (committed, last) = (committed + 1, Some(n.parse::<u32>().unwrap()));
            }
        }
        for _ in 0..round * 1_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said while the kill was on its way.
        for line in lines.map_while(Result::ok) {
            last = line.strip_prefix("committed ").and_then(|n| n.parse().ok()).or(last);
        }

        let outbox = open_outbox(folder.path()).await;
        let events = outbox.next_events(100_000).await.unwrap();
        let (count, counts) = (events.len() as u32, outbox.counts());
        let last = last.unwrap();
        assert!(count == last + 1 || count == last + 2, "{last} was committed, but {count} are there");
        for (n, got) in (0..).zip(&events) {
            assert_eq!(got.id, event(n).id);
        }
        // Every event came with a picture, whole and under its own name.
        assert_eq!((counts.evidence_files, counts.dropped_evidence), (u64::from(count), 0));
        for entry in std::fs::read_dir(folder.path().join("evidence")).unwrap() {
            let path = entry.unwrap().path();
            let hash = protocol::ContentHash::of(&std::fs::read(&path).unwrap());
            assert_eq!(path.file_name().unwrap().to_str(), Some(hash.as_str()));
        }
    }
}
