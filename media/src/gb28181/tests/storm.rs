//! Ten thousand devices.

use super::{
    network::{Network, Sim},
    *,
};
use crate::gb28181::OfflineReason;

/// Half of the devices repeat what is not answered, half do not; one of ten datagrams is lost.
fn storm(devices: u32, secs: u64) -> Network {
    let sims = (0..devices).map(|n| Sim::new(n, n % 2 == 0, Duration::from_mins(1))).collect();
    let mut network = Network::new(sims, 10, 0x5eed);
    network.run(Duration::from_secs(secs));
    network
}

#[test]
fn no_device_is_offline_by_loss_alone() {
    let mut network = storm(10_000, 400);
    let offline: Vec<_> = network.events.iter().filter(|(_, e)| matches!(e, Event::Offline { .. })).collect();
    assert!(offline.is_empty(), "{} of 10,000 were taken for dead, first {:?}", offline.len(), offline[0]);
    let load = network.platform.load();
    assert_eq!((load.online, load.malformed), (10_000, 0));
    assert!(network.datagrams > 100_000, "{} datagrams", network.datagrams);

    // one that is really gone is noticed within three and a half rhythms and the time to ask
    network.devices[7].dead = true;
    network.run(Duration::from_secs(400 + 250 + 60));
    let gone: Vec<_> = network.events.iter().filter(|(_, e)| matches!(e, Event::Offline { .. })).collect();
    let Event::Offline { device, reason } = gone[0].1 else { panic!() };
    assert_eq!((gone.len(), device, reason), (1, id(7), OfflineReason::Silent));
}
