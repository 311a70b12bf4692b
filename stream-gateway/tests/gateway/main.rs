//! The gateway from outside: the hub in simulated time, the live view through a real WebSocket, and real
//! RTSP. One binary, because linking is the slow part.

#[cfg(test)]
mod gb28181;
#[cfg(test)]
mod gb28181_foreign;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod live;
#[cfg(test)]
mod rtsp;
#[cfg(test)]
mod support;
