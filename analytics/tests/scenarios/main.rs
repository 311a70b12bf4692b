//! Generated scenes, and what the rules make of them.

mod construction_vehicle;
mod counts;
mod crowd;
mod fire_smoke;
mod intrusion;
mod no_helmet;
mod picture_quality;
mod ponding;
mod properties;
mod reference;
mod scene;
mod segment_stack;
mod special_vehicle;
mod things;
