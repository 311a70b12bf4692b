//! The upload protocol: ask how far the other side is, send from there.

use std::{io, time::Duration};

use bytes::Bytes;
use protocol::ContentHash;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
    redirect,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};
use url::Url;

use super::UploadConfig;
use crate::{outbox::QueuedEvidence, references, tls, tls::TlsError};

/// How much one request carries: small enough that a bad link gets one through, large enough for speed.
const PART: u64 = 1 << 20;

/// How often the two sides may disagree about the offset within one upload.
const MAX_JUMPS: u32 = 8;

const UPLOAD_OFFSET: &str = "upload-offset";
const UPLOAD_LENGTH: &str = "upload-length";
const UPLOAD_COMPLETE: &str = "upload-complete";

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    bearer: String,
}

/// Why a piece is not uploaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// Nobody answers, or with a fault of its own: wait and try again.
    #[error("{0}")]
    Unreachable(String),
    /// 401 or 403.
    #[error("the control plane refuses this edge")]
    Unauthorised,
    /// The plane will never take this piece.
    #[error("the control plane refuses it for good ({0})")]
    Refused(StatusCode),
    /// The bytes that arrived have another hash; the upload starts over.
    #[error("it arrived damaged")]
    Damaged,
    /// Something unexpected with this piece alone.
    #[error("{0}")]
    Odd(String),
    /// The file on this side.
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
}

/// What became of a part.
enum Taken {
    /// The control plane took it and is this far.
    UpTo(u64),
    /// The control plane is somewhere else.
    Elsewhere(u64),
}

impl Client {
    pub(super) fn new(config: UploadConfig) -> Result<Self, TlsError> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_mins(2))
            // A redirect would carry the edge's secret to somebody else.
            .redirect(redirect::Policy::none())
            // On-site proxies are for browsers; the control plane is named directly.
            .no_proxy();
        if config.plane.scheme() == "https" {
            builder = builder.use_preconfigured_tls((*tls::client_config(config.ca_file.as_deref())?).clone());
        }
        let http = builder.build().map_err(|e| TlsError::Client(e.to_string()))?;
        let bearer = format!("{}.{}", config.edge, config.secret.expose());
        Ok(Self { http, base: config.plane, bearer })
    }

    /// Brings a piece to the control plane completely.
    pub(super) async fn upload(&self, piece: &QueuedEvidence) -> Result<(), UploadError> {
        let Some(mut offset) = self.how_far(piece).await? else { return Ok(()) };
        let mut file = File::open(&piece.path).await?;
        let mut jumps = 0;
        // At least one part, if empty: a control plane that has all bytes but never checked them does so then.
        loop {
            let part = read_part(&mut file, offset, piece.bytes).await?;
            let expected = offset + part.len() as u64;
            match self.send_part(piece, offset, part).await? {
                Taken::UpTo(next) if next == expected && next == piece.bytes => return Ok(()),
                Taken::UpTo(next) if next == expected => offset = next,
                Taken::UpTo(next) | Taken::Elsewhere(next) => {
                    jumps += 1;
                    if jumps > MAX_JUMPS || next > piece.bytes {
                        let total = piece.bytes;
                        return Err(UploadError::Odd(format!("the control plane counts {next} of {total} bytes")));
                    }
                    offset = next;
                }
            }
        }
    }

    /// How many bytes the control plane has; `None` when it has them all.
    async fn how_far(&self, piece: &QueuedEvidence) -> Result<Option<u64>, UploadError> {
        let response = self.send(self.request(Method::HEAD, &piece.hash)).await?;
        match response.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => {}
            StatusCode::NOT_FOUND => return Ok(Some(0)),
            status => return Err(refusal(status)),
        }
        let headers = response.headers();
        if headers.get(UPLOAD_COMPLETE).is_some_and(|v| v == "true") {
            return Ok(None);
        }
        offset_in(headers).map(Some)
    }

    async fn send_part(&self, piece: &QueuedEvidence, offset: u64, part: Bytes) -> Result<Taken, UploadError> {
        let request = self
            .request(Method::PATCH, &piece.hash)
            .header(UPLOAD_OFFSET, offset)
            .header(UPLOAD_LENGTH, piece.bytes)
            .header(CONTENT_TYPE, &piece.media_type)
            .body(part);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => offset_in(response.headers()).map(Taken::UpTo),
            StatusCode::CONFLICT => offset_in(response.headers()).map(Taken::Elsewhere),
            StatusCode::UNPROCESSABLE_ENTITY => Err(UploadError::Damaged),
            status => Err(refusal(status)),
        }
    }

    /// A reference picture; `None` when the control plane does not have it for this edge.
    pub(super) async fn reference(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>, UploadError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}edge/v1/references/{hash}", self.base.path()));
        let mut response = self.send(self.http.get(url).bearer_auth(&self.bearer)).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(refusal(status)),
        }
        let mut bytes = Vec::new();
        let broken = |e: reqwest::Error| UploadError::Unreachable(format!("the connection broke: {}", e.without_url()));
        while let Some(part) = response.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&part);
            if bytes.len() as u64 > references::MAX_BYTES {
                return Err(UploadError::Odd("the picture is too large".into()));
            }
        }
        Ok(Some(bytes))
    }

    fn request(&self, method: Method, hash: &ContentHash) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}edge/v1/evidence/{hash}", self.base.path()));
        self.http.request(method, url).bearer_auth(&self.bearer)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, UploadError> {
        let host = self.base.host_str().unwrap_or_default();
        request.send().await.map_err(|e| {
            let what = if e.is_timeout() {
                "does not answer in time"
            } else if e.is_connect() {
                "cannot be reached"
            } else {
                "broke the connection"
            };
            UploadError::Unreachable(format!("the control plane at {host} {what}"))
        })
    }
}

async fn read_part(file: &mut File, offset: u64, end: u64) -> io::Result<Bytes> {
    file.seek(io::SeekFrom::Start(offset)).await?;
    let mut part = vec![0; PART.min(end - offset) as usize];
    file.read_exact(&mut part).await?;
    Ok(part.into())
}

fn offset_in(headers: &HeaderMap) -> Result<u64, UploadError> {
    let offset = headers.get(UPLOAD_OFFSET).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    offset.ok_or_else(|| UploadError::Odd(format!("the control plane does not send {UPLOAD_OFFSET}")))
}

fn refusal(status: StatusCode) -> UploadError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UploadError::Unauthorised,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => UploadError::Refused(status),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            UploadError::Unreachable(format!("the control plane asks to wait ({status})"))
        }
        status if status.is_server_error() => {
            UploadError::Unreachable(format!("the control plane has a fault ({status})"))
        }
        status => UploadError::Odd(format!("the control plane answers {status}")),
    }
}
