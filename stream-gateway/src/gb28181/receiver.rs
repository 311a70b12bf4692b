//! The socket of one stream: where packets come in, and from whom they are taken.

use std::{io, net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use media::rtp::Deframer;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

/// Longest datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Bytes read from a connection at once.
const READ: usize = 64 * 1024;
/// How long one attempt to connect may take, and the pause before the next.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const CONNECT_PAUSE: Duration = Duration::from_millis(300);

/// Whose packets are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Friends {
    /// Where the device registered from, and where its answer says that media come from.
    pub(super) addresses: Vec<std::net::IpAddr>,
    /// SSRCs that were asked for or answered.
    pub(super) ssrcs: Vec<u32>,
}

impl Friends {
    /// By address first: devices send other SSRCs than they say. By SSRC for media that come through another
    /// address translation than signalling.
    fn knows(&self, from: SocketAddr, packet: &[u8]) -> bool {
        let by_ssrc = || {
            let ssrc = packet.get(8..12).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
            ssrc.is_some_and(|ssrc| self.ssrcs.contains(&ssrc))
        };
        self.addresses.contains(&from.ip().to_canonical()) || by_ssrc()
    }
}

/// What came in.
pub(super) enum Arrived {
    /// A datagram or a packet of a connection.
    Packet(Bytes),
    /// A stranger's.
    Stranger,
    /// The device has connected.
    Connected(SocketAddr),
    /// The device has closed its connection; it may come again (2022: reconnecting).
    Closed,
}

/// A socket of one stream.
pub(super) enum Receiver {
    Udp {
        socket: UdpSocket,
        buffer: BytesMut,
        /// The device's address, once a packet of it has come.
        source: Option<SocketAddr>,
    },
    /// The device connects to us.
    Listening { listener: TcpListener, connection: Option<Connection>, candidate: Option<Connection> },
    /// We connect to the device.
    Connecting { target: SocketAddr, connection: Option<Connection> },
}

/// A connection with what is cut out of it.
pub(super) struct Connection {
    stream: TcpStream,
    source: SocketAddr,
    deframer: Deframer,
    buffer: Vec<u8>,
    bytes: u64,
}

impl Connection {
    fn new(stream: TcpStream, source: SocketAddr) -> Self {
        Self { stream, source, deframer: Deframer::default(), buffer: vec![0; READ], bytes: 0 }
    }

    /// The next packet; `None` at the end. Cancel-safe.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(packet) = self.deframer.next_packet() {
                return Ok(Some(packet));
            }
            let length = self.stream.read(&mut self.buffer).await?;
            if length == 0 {
                return Ok(None);
            }
            self.bytes += length as u64;
            self.deframer.push(&self.buffer[..length]);
        }
    }
}

impl Receiver {
    pub(super) fn udp(socket: UdpSocket) -> Self {
        Self::Udp { socket, buffer: BytesMut::zeroed(MAX_DATAGRAM), source: None }
    }

    pub(super) const fn listening(listener: TcpListener) -> Self {
        Self::Listening { listener, connection: None, candidate: None }
    }

    pub(super) const fn connecting(target: SocketAddr) -> Self {
        Self::Connecting { target, connection: None }
    }

    /// Whom packets come from, bytes of the connection, and bytes of it that belonged to no packet.
    pub(super) fn state(&self) -> (Option<SocketAddr>, Option<(u64, u64)>) {
        match self {
            Self::Udp { source, .. } => (*source, None),
            Self::Listening { connection, .. } | Self::Connecting { connection, .. } => {
                let connection = connection.as_ref();
                (connection.map(|c| c.source), connection.map(|c| (c.bytes, c.deframer.skipped())))
            }
        }
    }

    /// Waits for what comes in. Cancel-safe.
    pub(super) async fn next(&mut self, friends: &Friends) -> io::Result<Arrived> {
        match self {
            Self::Udp { socket, buffer, source } => {
                let (length, from) = socket.recv_from(buffer).await?;
                let known = source.map_or_else(|| friends.knows(from, &buffer[..length]), |source| source == from);
                // a device that moves to another port (a restarted sender, another mapping) is known again
                if !known && !friends.knows(from, &buffer[..length]) {
                    return Ok(Arrived::Stranger);
                }
                *source = Some(from);
                Ok(Arrived::Packet(Bytes::copy_from_slice(&buffer[..length])))
            }
            Self::Listening { listener, connection, candidate } => loop {
                if let Some(open) = connection {
                    return tokio::select! {
                        packet = open.next() => Ok(ended(packet, connection)),
                        // the device has come again: the old connection is dead, it just does not know
                        Ok((stream, from)) = listener.accept() => {
                            if !friends.addresses.contains(&from.ip().to_canonical()) {
                                return Ok(Arrived::Stranger);
                            }
                            *connection = Some(Connection::new(stream, from));
                            Ok(Arrived::Connected(from))
                        }
                    };
                }
                if let Some(unknown) = candidate {
                    // one from elsewhere has to show an SSRC that is ours
                    tokio::select! {
                        packet = unknown.next() => {
                            let shown = packet.ok().flatten().filter(|packet| friends.knows(unknown.source, packet));
                            let known = candidate.take();
                            let Some(packet) = shown else { return Ok(Arrived::Stranger) };
                            *connection = known;
                            return Ok(Arrived::Packet(packet));
                        }
                        Ok((stream, from)) = listener.accept() => {
                            let new = Connection::new(stream, from);
                            if friends.addresses.contains(&from.ip().to_canonical()) {
                                (*connection, *candidate) = (Some(new), None);
                                return Ok(Arrived::Connected(from));
                            }
                            *candidate = Some(new);
                        }
                    }
                    continue;
                }
                let (stream, from) = listener.accept().await?;
                if friends.addresses.contains(&from.ip().to_canonical()) {
                    *connection = Some(Connection::new(stream, from));
                    return Ok(Arrived::Connected(from));
                }
                *candidate = Some(Connection::new(stream, from));
            },
            Self::Connecting { target, connection } => {
                if let Some(open) = connection {
                    return Ok(ended(open.next().await, connection));
                }
                // devices open their port a moment after they have announced it
                loop {
                    if let Ok(Ok(stream)) = timeout(CONNECT_PATIENCE, TcpStream::connect(*target)).await {
                        *connection = Some(Connection::new(stream, *target));
                        return Ok(Arrived::Connected(*target));
                    }
                    sleep(CONNECT_PAUSE).await;
                }
            }
        }
    }
}

/// A connection that breaks is one that ended: the device may come again.
fn ended(packet: io::Result<Option<Bytes>>, connection: &mut Option<Connection>) -> Arrived {
    if let Ok(Some(packet)) = packet {
        return Arrived::Packet(packet);
    }
    *connection = None;
    Arrived::Closed
}
