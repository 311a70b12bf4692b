//! Which source a camera's address belongs to.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use futures::future::BoxFuture;
use protocol::Camera;

use super::{Fault, Source, Stream};

/// Sources by the scheme of the address, and one for all others. Sources may be added while cameras are
/// pulled: each connection asks anew.
pub(crate) struct Schemes {
    other: Arc<dyn Source>,
    by_scheme: RwLock<BTreeMap<&'static str, Arc<dyn Source>>>,
}

impl Schemes {
    pub(crate) fn new(other: Arc<dyn Source>) -> Self {
        Self { other, by_scheme: RwLock::default() }
    }

    pub(crate) fn add(&self, scheme: &'static str, source: Arc<dyn Source>) {
        self.by_scheme.write().unwrap_or_else(PoisonError::into_inner).insert(scheme, source);
    }
}

impl Source for Schemes {
    fn open<'a>(&'a self, camera: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>> {
        let by_scheme = self.by_scheme.read().unwrap_or_else(PoisonError::into_inner);
        let source = by_scheme.get(camera.url.scheme()).map_or_else(|| Arc::clone(&self.other), Arc::clone);
        drop(by_scheme);
        Box::pin(async move { source.open(camera).await })
    }
}
