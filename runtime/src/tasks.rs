//! The owner of tasks.

use std::{future::Future, time::Duration};

use tokio::{sync::Mutex, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info_span};

/// A task that ended when it should have run on.
#[derive(Debug, thiserror::Error)]
#[error("task {name} failed: {reason}")]
pub struct TaskFailed {
    /// Its name.
    pub name: &'static str,
    /// What it said, or that it panicked.
    pub reason: String,
}

/// A set of named tasks with one way to stop them. A task that fails cancels its siblings loudly.
#[derive(Debug, Default)]
pub struct Tasks {
    token: CancellationToken,
    set: Mutex<JoinSet<Result<(), TaskFailed>>>,
}

impl Tasks {
    /// Makes a set that stops when `parent` does.
    pub fn under(parent: &CancellationToken) -> Self {
        Self { token: parent.child_token(), set: Mutex::default() }
    }

    /// The token that stops this set; clone it into each task.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Starts a task. It ends by returning, which it should do soon after the token is cancelled.
    pub async fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let token = self.token.clone();
        let guarded = async move {
            let cancel_on_panic = token.clone().drop_guard();
            let outcome = task.await;
            cancel_on_panic.disarm();
            outcome.map_err(|e| {
                error!(task = name, reason = %e, "a task failed");
                token.cancel();
                TaskFailed { name, reason: e.to_string() }
            })
        };
        self.set.lock().await.spawn(guarded.instrument(info_span!("task", name)));
    }

    /// Cancels all tasks and waits for them; those that outlast `patience` are aborted.
    ///
    /// # Errors
    /// The first task that failed.
    pub async fn stop(&self, patience: Duration) -> Result<(), TaskFailed> {
        self.token.cancel();
        self.join(patience).await
    }

    /// Waits until the token is cancelled, by the parent or by a failed task, then as [`Tasks::stop`].
    ///
    /// # Errors
    /// The first task that failed.
    pub async fn run_until_cancelled(&self, patience: Duration) -> Result<(), TaskFailed> {
        self.token.cancelled().await;
        self.join(patience).await
    }

    async fn join(&self, patience: Duration) -> Result<(), TaskFailed> {
        let mut set = self.set.lock().await;
        let mut first = Ok(());
        let all = async {
            while let Some(joined) = set.join_next().await {
                let outcome =
                    joined.unwrap_or_else(|e| Err(TaskFailed { name: "unknown", reason: format!("panicked: {e}") }));
                first = std::mem::replace(&mut first, Ok(())).and(outcome);
            }
        };
        if timeout(patience, all).await.is_err() {
            error!(remaining = set.len(), "tasks did not stop in time and are aborted");
            set.shutdown().await;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_task_stops_its_siblings() {
        let tasks = Tasks::default();
        let token = tasks.token().clone();
        let waits = async move {
            token.cancelled().await;
            Ok::<_, String>(())
        };
        tasks.spawn("waits", waits).await;
        tasks.spawn("fails", async { Err::<(), _>("no disk") }).await;
        let failed = tasks.run_until_cancelled(Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(failed.to_string(), "task fails failed: no disk");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let tasks = Tasks::default();
        tasks.spawn("panics", async { if true { panic!("bug") } else { Ok::<_, String>(()) } }).await;
        assert!(tasks.run_until_cancelled(Duration::from_secs(5)).await.is_err());
    }
}
