//! Puts packets back into order and counts what is missing.

use std::collections::BTreeMap;

use super::Packet;

/// Packets that may wait for a missing one. At 4 Mbit/s 64 packets are 0.2 s.
const WINDOW: usize = 64;
/// A step beyond is another stream, not a loss (RFC 3550 appendix A.1 has 3,000).
const MAX_STEP: i32 = 3_000;

/// A packet in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The packet.
    pub packet: Packet,
    /// Packets that are missing before it.
    pub lost: u32,
    /// Whether the sender started over here: what came before has nothing to do with it.
    pub restart: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that arrived.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came twice or too late.
    pub duplicate: u64,
    /// Packets that came out of order and were put in place.
    pub reordered: u64,
    /// Interarrival jitter of RFC 3550 section 6.4.1, ticks of 90 kHz.
    pub jitter: u32,
}

/// Reorders one stream.
#[derive(Debug, Default)]
pub struct Reorder {
    /// Sequence number that is due, not wrapped; `None` before the first packet.
    due: Option<i64>,
    ssrc: u32,
    waiting: BTreeMap<i64, Packet>,
    restart: bool,
    statistics: Statistics,
    /// Transit time of the last packet, ticks, and jitter times 16.
    transit: Option<i64>,
    jitter16: i64,
}

impl Reorder {
    /// What was counted so far.
    pub fn statistics(&self) -> Statistics {
        Statistics { jitter: u32::try_from(self.jitter16 / 16).unwrap_or(u32::MAX), ..self.statistics }
    }

    /// Takes a packet that arrived at `arrival`, ticks of 90 kHz from any start. Gives the packets that are
    /// in order now.
    pub fn push(&mut self, packet: Packet, arrival: i64, out: &mut Vec<Ordered>) {
        self.statistics.received += 1;
        self.measure(&packet, arrival);
        let due = match self.due {
            Some(due) if packet.ssrc == self.ssrc => due,
            before => {
                // another sender on the same port: what waits belongs to the old one
                self.drain(out);
                self.ssrc = packet.ssrc;
                self.restart = before.is_some();
                let due = i64::from(packet.sequence);
                self.due = Some(due);
                due
            }
        };
        let step = i32::from(packet.sequence.wrapping_sub(due as u16).cast_signed());
        if step.abs() > MAX_STEP {
            self.drain(out);
            self.restart = true;
            self.due = Some(i64::from(packet.sequence));
            self.waiting.insert(i64::from(packet.sequence), packet);
        } else if step < 0 || self.waiting.contains_key(&(due + i64::from(step))) {
            self.statistics.duplicate += 1;
            return;
        } else {
            let place = due + i64::from(step);
            if self.waiting.last_key_value().is_some_and(|(last, _)| *last > place) {
                self.statistics.reordered += 1;
            }
            self.waiting.insert(place, packet);
        }
        self.release(out);
    }

    /// Packets that wait for one that is missing.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Gives up on what is missing before the packets that wait, for a stream that pauses.
    pub fn drain(&mut self, out: &mut Vec<Ordered>) {
        while let Some((place, packet)) = self.waiting.pop_first() {
            self.give(place, packet, out);
        }
    }

    fn release(&mut self, out: &mut Vec<Ordered>) {
        while let Some((&place, _)) = self.waiting.first_key_value()
            && (Some(place) == self.due || self.waiting.len() > WINDOW)
        {
            let Some((place, packet)) = self.waiting.pop_first() else { return };
            self.give(place, packet, out);
        }
    }

    fn give(&mut self, place: i64, packet: Packet, out: &mut Vec<Ordered>) {
        let lost = u32::try_from(place - self.due.unwrap_or(place)).unwrap_or(0);
        self.statistics.lost += u64::from(lost);
        self.due = Some(place + 1);
        out.push(Ordered { packet, lost, restart: std::mem::take(&mut self.restart) });
    }

    fn measure(&mut self, packet: &Packet, arrival: i64) {
        let transit = arrival - i64::from(packet.timestamp);
        if let Some(last) = self.transit.replace(transit) {
            let change = (transit - last).abs();
            // a wrap or another stream says nothing about the network
            if change < 90_000 * 10 {
                self.jitter16 += change - (self.jitter16 + 8) / 16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn packet(sequence: u16, ssrc: u32) -> Packet {
        Packet { payload_type: 96, marker: false, sequence, timestamp: 0, ssrc, payload: Bytes::new() }
    }

    fn run(sequences: &[u16]) -> (Vec<(u16, u32, bool)>, Statistics) {
        let (mut reorder, mut out) = (Reorder::default(), Vec::new());
        for &sequence in sequences {
            reorder.push(packet(sequence, 1), 0, &mut out);
        }
        reorder.drain(&mut out);
        (out.iter().map(|o| (o.packet.sequence, o.lost, o.restart)).collect(), reorder.statistics())
    }

    #[test]
    fn orders_and_counts() {
        let (out, counted) = run(&[65_534, 0, 65_535, 65_535, 2]);
        assert_eq!(out, [(65_534, 0, false), (65_535, 0, false), (0, 0, false), (2, 1, false)]);
        assert_eq!((counted.received, counted.lost, counted.duplicate, counted.reordered), (5, 1, 1, 1));
        assert_eq!(run(&[10, 11, 30_000, 30_001]).0[2], (30_000, 0, true), "a sender that starts over");
    }

    #[test]
    fn another_sender_takes_over() {
        let (mut reorder, mut out) = (Reorder::default(), Vec::new());
        for (sequence, ssrc) in [(1, 1), (3, 1), (900, 2), (901, 2)] {
            reorder.push(packet(sequence, ssrc), 0, &mut out);
        }
        let got: Vec<_> = out.iter().map(|o| (o.packet.sequence, o.lost, o.restart)).collect();
        assert_eq!(got, [(1, 0, false), (3, 1, false), (900, 0, true), (901, 0, false)]);
    }

    proptest! {
        #[test]
        fn a_bad_network_loses_nothing_that_arrives_in_time(
            start in any::<u16>(), delays in prop::collection::vec((0..40_u32, prop::bool::weighted(0.1)), 1..300)
        ) {
            // each packet is late by up to 40 places, some are lost
            let mut sent: Vec<_> = (0_u32..).zip(&delays).filter(|(n, (_, lost))| !lost || *n == 0).map(|(n, (late, _))| {
                (if n == 0 { 0 } else { n + late }, start.wrapping_add(n as u16))
            }).collect();
            sent.sort_by_key(|(due, _)| *due);
            let (out, counted) = run(&sent.iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>());
            prop_assert_eq!(out.len(), sent.len());
            for pair in out.windows(2) {
                prop_assert_eq!(pair[1].0.wrapping_sub(pair[0].0), 1 + pair[1].1 as u16);
            }
            let last = delays.iter().rposition(|(_, lost)| !lost).unwrap_or(0);
            let lost = delays[..=last].iter().skip(1).filter(|(_, lost)| *lost).count() as u64;
            prop_assert_eq!(counted.lost, lost);
        }

        #[test]
        fn any_sequence_is_survived(packets in prop::collection::vec((any::<u16>(), 0..3_u32), 0..300)) {
            let (mut reorder, mut out) = (Reorder::default(), Vec::new());
            for (sequence, ssrc) in &packets {
                reorder.push(packet(*sequence, *ssrc), 0, &mut out);
                prop_assert!(reorder.waiting.len() <= WINDOW + 1);
            }
            prop_assert!(out.len() <= packets.len());
        }
    }
}
