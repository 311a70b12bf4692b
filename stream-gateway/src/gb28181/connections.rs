//! SIP over TCP.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use media::{
    gb28181::{Peer, Transport},
    sip::Framer,
};
use runtime::CancellationToken;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tracing::debug;

use super::actor::Request;

/// Messages that wait to be written to a connection.
pub(super) type Outgoing = mpsc::Sender<Vec<u8>>;

/// Most connections: beyond, new ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 12_000;
const MAX_OUTGOING: usize = 64;
/// A connection that says nothing for so long is closed: devices report each minute or so.
const IDLE: Duration = Duration::from_mins(30);
/// How long a write may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Accepts connections and serves them until stopped. One task owns them all.
pub(super) async fn serve(
    listener: TcpListener,
    requests: mpsc::Sender<Request>,
    token: CancellationToken,
) -> Result<(), Infallible> {
    let mut open = FuturesUnordered::new();
    let mut next = 0_u64;
    loop {
        tokio::select! {
            biased;
            () = token.cancelled() => return Ok(()),
            Some(()) = open.next(), if !open.is_empty() => {}
            accepted = listener.accept(), if open.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, address)) => {
                    next += 1;
                    open.push(connection(stream, address, next, requests.clone()));
                }
                // too many open files, for one: a moment's rest, not a busy loop
                Err(error) => {
                    debug!(reason = %error, "a SIP connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, id: u64, requests: mpsc::Sender<Request>) {
    let (sender, receiver) = mpsc::channel(MAX_OUTGOING);
    if requests.send(Request::Connected(id, sender)).await.is_err() {
        return;
    }
    if let Err(error) = talk(stream, address, id, &requests, receiver).await {
        debug!(peer.address = %address, reason = %error, "a SIP connection ended");
    }
    let _ = requests.send(Request::Closed(id)).await;
}

async fn talk(
    mut stream: TcpStream,
    address: SocketAddr,
    connection: u64,
    requests: &mpsc::Sender<Request>,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let peer = Peer { transport: Transport::Tcp, address, connection };
    let mut framer = Framer::default();
    let mut buffer = vec![0; 4_096];
    loop {
        tokio::select! {
            read = timeout(IDLE, stream.read(&mut buffer)) => {
                let length = read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                if length == 0 {
                    return Ok(());
                }
                framer.push(&buffer[..length]);
                loop {
                    match framer.next_message() {
                        Ok(Some(message)) => {
                            let sent = requests.send(Request::Message(peer, message)).await;
                            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
                        }
                        Ok(None) => break,
                        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                    }
                }
            }
            Some(data) = outgoing.recv() => {
                let written = timeout(WRITE_PATIENCE, stream.write_all(&data)).await;
                written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            }
        }
    }
}
