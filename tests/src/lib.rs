//! What the journeys share: real processes that can be killed, free ports, the public API as a client.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use standalone::config::Config;

/// The checkout.
///
/// # Panics
/// When this crate does not lie in the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests folder lies in the repository").to_owned()
}

/// The all-in-one's configuration for a test: the checkout's model, console and demo clip, free ports.
pub fn configuration(data_dir: PathBuf) -> Config {
    let mut config = Config { data_dir, ..Config::default() };
    let Config { model, onnxruntime, console, demo, .. } = &mut config;
    for path in [model, onnxruntime, console, &mut demo.clip, &mut demo.cache] {
        *path = repository().join(&*path);
    }
    config.listen.set_port(0);
    config.mqtt_listen.set_port(0);
    config.demo.listen.set_port(0);
    config
}

/// A program of this workspace, built beside the running test.
///
/// # Errors
/// When it was not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test lies in target/<profile>/deps")?;
    let program = folder.join(name);
    ensure!(program.exists(), "{} is not built; run `cargo build --workspace`", program.display());
    Ok(program)
}

/// A port that was free a moment ago.
///
/// # Errors
/// When the machine has none.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A child process that dies with its owner.
#[derive(Debug)]
pub struct Process {
    command: Command,
    child: Option<Child>,
}

impl Process {
    /// Starts `command`; its output goes to the file `log`, appended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = std::fs::File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut process = Self { command, child: None };
        process.restart()?;
        Ok(process)
    }

    /// Kills it the hard way (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
        }
        Ok(())
    }

    /// Starts it again with the same command.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.child = Some(
            self.command.spawn().with_context(|| format!("cannot start {}", self.command.get_program().display()))?,
        );
        Ok(())
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it ended by itself, and how.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?,
            None => None,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Asks `probe` every 100 ms until it gives a value.
///
/// # Errors
/// When it gives none within `patience`; `what` says what was waited for.
pub async fn eventually<T, F>(what: &str, patience: Duration, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let wait = async {
        loop {
            tick.tick().await;
            if let Some(value) = probe().await? {
                return Ok(value);
            }
        }
    };
    match tokio::time::timeout(patience, wait).await {
        Ok(outcome) => outcome,
        Err(_) => bail!("{what} did not happen within {} s", patience.as_secs()),
    }
}

/// A signed-in client of the public API.
#[derive(Clone, Debug)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    cookie: String,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// When the API does not answer or refuses.
    pub async fn sign_in(address: SocketAddr, username: &str, password: &str) -> Result<Self> {
        let (client, base) = (reqwest::Client::new(), format!("http://{address}"));
        let answer = client
            .post(format!("{base}/api/v1/session"))
            .header("x-requested-with", "gongshao")
            .json(&serde_json::json!({ "username": username, "password": password }))
            .send()
            .await?
            .error_for_status()?;
        let cookie = answer.headers().get("set-cookie").context("no session cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, base, cookie })
    }

    /// Gets JSON.
    ///
    /// # Errors
    /// When the answer is no success or no JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.send(reqwest::Method::GET, path, None).await?.error_for_status()?.json().await?)
    }

    /// Sends a request and gives the answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Result<reqwest::Response> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("x-requested-with", "gongshao");
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.send().await?)
    }
}
