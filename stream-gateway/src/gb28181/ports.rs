//! Ports for media: each camera that is watched has one, for UDP or TCP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, Ordering},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

/// Room for a burst: a key frame of a 4K camera comes as a thousand datagrams at once.
const RECEIVE_BUFFER: usize = 2 << 20;

/// Hands out ports in turn. A port is free again when its socket is closed, so none can leak; the next one
/// taken is the one that rested longest, so that late packets of an old call hit nobody.
#[derive(Debug)]
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    next: AtomicU32,
}

impl Ports {
    pub(super) const fn new(range: RangeInclusive<u16>) -> Self {
        Self { range, next: AtomicU32::new(0) }
    }

    /// Tries the ports of the range until one can be bound.
    fn bind<T>(&self, bind: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<(T, u16)> {
        let size = u32::from(self.range.end() - self.range.start()) + 1;
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..size {
            let step = self.next.fetch_add(1, Ordering::Relaxed) % size;
            let port = self.range.start() + step as u16;
            match bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)) {
                Ok(socket) => return Ok((socket, port)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn udp(&self) -> io::Result<(UdpSocket, u16)> {
        self.bind(udp)
    }

    pub(super) fn tcp(&self) -> io::Result<(TcpListener, u16)> {
        self.bind(tcp)
    }
}

/// A datagram socket with room for bursts.
pub(super) fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // the system may grant less; then bursts are lost, which is counted
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// A listener that can take a port again at once after its last connection.
pub(super) fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(16)?;
    TcpListener::from_std(socket.into())
}
