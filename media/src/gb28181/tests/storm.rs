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

fn offline(network: &Network) -> Vec<&Event> {
    network.events.iter().map(|(_, event)| event).filter(|event| matches!(event, Event::Offline { .. })).collect()
}

#[test]
fn no_device_of_ten_thousand_is_offline_by_loss_alone() {
    let network = storm(10_000, 280);
    assert!(offline(&network).is_empty(), "{:?} were taken for dead", offline(&network));
    let load = network.platform.load();
    assert_eq!((load.online, load.malformed), (10_000, 0));
    assert!(network.datagrams > 100_000, "{} datagrams", network.datagrams);
}

#[test]
fn an_hour_of_loss_takes_nobody_offline_but_the_dead() {
    let mut network = storm(100, 3_600);
    assert!(offline(&network).is_empty(), "{:?} were taken for dead", offline(&network));
    // noticed within three and a half rhythms and the time to ask
    network.devices[7].dead = true;
    network.run(Duration::from_secs(3_600 + 250 + 60));
    assert_eq!(offline(&network), [&Event::Offline { device: id(7), reason: OfflineReason::Silent }]);
}
