//! Reference pictures come from the control plane, once, and are kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use edge_agent::{
    evidence::{UploadConfig, fetch_references},
    references::ReferencePictures,
};
use protocol::{ContentHash, EdgeId, Secret, Timestamp};
use runtime::Tasks;
use tokio::{net::TcpListener, time::timeout};

const PICTURE: &[u8] = b"the approved picture";

/// Gives the picture to whom it belongs.
async fn serve(
    State((asked, bearer)): State<(Arc<AtomicUsize>, String)>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Vec<u8>, StatusCode> {
    if headers.get("authorization").is_none_or(|v| v != bearer.as_str()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    asked.fetch_add(1, Ordering::SeqCst);
    if hash == ContentHash::of(PICTURE).as_str() { Ok(PICTURE.to_vec()) } else { Err(StatusCode::NOT_FOUND) }
}

#[tokio::test]
async fn a_picture_that_is_wanted_is_fetched_and_kept() {
    let (edge, asked) = (EdgeId::new(Timestamp::from_secs(1)), Arc::new(AtomicUsize::new(0)));
    let state = (Arc::clone(&asked), format!("Bearer {edge}.secret"));
    let app = Router::new().route("/edge/v1/references/{hash}", get(serve)).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plane = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (server, fetching) = (Tasks::default(), Tasks::default());
    server.spawn("plane", async move { axum::serve(listener, app).await }).await;

    let folder = tempfile::tempdir().unwrap();
    let pictures = ReferencePictures::at(folder.path().join("references"));
    let config = UploadConfig { edge, secret: Secret::new("secret"), plane, ca_file: None };
    fetch_references(config, pictures.clone(), &fetching).await.unwrap();
    let hash = ContentHash::of(PICTURE);
    pictures.want(&hash);
    let file = folder.path().join("references").join(format!("{hash}.jpg"));
    let arrived = async {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while !file.is_file() {
            look.tick().await;
        }
    };
    timeout(Duration::from_secs(20), arrived).await.expect("the picture comes");
    assert_eq!((std::fs::read(&file).unwrap(), asked.load(Ordering::SeqCst)), (PICTURE.to_vec(), 1));
    assert!(pictures.wanted().is_empty(), "it is asked for once");
    fetching.stop(Duration::from_secs(2)).await.unwrap();
    let _ = server.stop(Duration::ZERO).await;
}
