//! Generated scenes, and what the rules make of them.

mod crowd;
mod intrusion;
mod no_helmet;
mod properties;
mod scene;
