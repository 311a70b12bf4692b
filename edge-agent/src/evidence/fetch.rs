//! Fetches the reference pictures that tasks ask for.

use std::{convert::Infallible, time::Duration};

use runtime::Tasks;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{UploadConfig, client::Client};
use crate::{references::ReferencePictures, tls::TlsError};

/// What could not be fetched is asked for again after this time.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Starts a task of `tasks` that fetches what `pictures` lacks.
///
/// # Errors
/// When encryption is asked for and there is nothing to trust.
pub async fn fetch_references(
    config: UploadConfig,
    pictures: ReferencePictures,
    tasks: &Tasks,
) -> Result<(), TlsError> {
    let client = Client::new(config)?;
    let token = tasks.token().clone();
    let task = async move {
        tokio::select! {
            () = token.cancelled() => {}
            () = fetch_all(&client, &pictures) => {}
        }
        Ok::<_, Infallible>(())
    };
    // On the heap: an HTTP client at work is large, and moves with the task.
    tasks.spawn("references", Box::pin(task)).await;
    Ok(())
}

async fn fetch_all(client: &Client, pictures: &ReferencePictures) {
    let mut told = false;
    loop {
        let mut problem = None;
        for hash in pictures.wanted() {
            let kept = match client.reference(&hash).await {
                Ok(Some(bytes)) => pictures.put(&hash, &bytes).map_err(|e| e.to_string()),
                Ok(None) => Err("the control plane does not have it".into()),
                Err(e) => Err(e.to_string()),
            };
            match kept {
                Ok(()) => info!(reference.hash = %hash, "a reference picture was fetched"),
                Err(e) => problem = Some(e),
            }
        }
        // Once per outage, not twice a minute.
        if let Some(reason) = problem.as_ref().filter(|_| !told) {
            warn!(reason, "a reference picture cannot be fetched; its task compares nothing until then");
        }
        told = problem.is_some();
        tokio::select! {
            () = pictures.asked() => {}
            () = sleep(AGAIN_AFTER), if problem.is_some() => {}
        }
    }
}
