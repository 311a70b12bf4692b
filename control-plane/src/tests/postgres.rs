//! A throwaway PostgreSQL server out of Debian's package.

use std::{os::unix::fs::MetadataExt as _, path::PathBuf, process::Stdio, time::Duration};

use server_kit::Db;
use sqlx::Executor as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Ends with its owner.
pub(super) struct Server {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

impl Server {
    /// `None` when PostgreSQL is not installed.
    pub(super) async fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").args(["-R", "postgres:"]).arg(folder.path())).await;
        }
        let mut initdb = unprivileged(&programs.join("initdb"));
        run(initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]))
            .await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = unprivileged(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-c", "fsync=off", "-k"]);
        let process = postgres.arg(folder.path()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let server = Self { port, _process: process, _folder: folder };
        tokio::time::timeout(Duration::from_mins(1), async {
            while Db::connect(&server.url("postgres")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("PostgreSQL did not start within a minute");
        Some(server)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and gives its address.
    pub(super) async fn database(&self, name: &str) -> String {
        let db = Db::connect(&self.url("postgres")).await.unwrap();
        let create = format!("create database \"{}\"", &name[..name.len().min(60)]);
        db.read().await.unwrap().execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.unwrap();
        db.close().await;
        self.url(&name[..name.len().min(60)])
    }
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<_> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|e| e.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

fn unprivileged(program: &std::path::Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

async fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
