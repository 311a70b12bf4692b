//! Generated scenes, and what the rules make of them.

mod construction_vehicle;
mod counts;
mod crowd;
mod e_bike;
mod engine;
mod fire_smoke;
mod intrusion;
mod large_material;
mod laws;
mod lines;
mod missing_gear;
mod no_helmet;
mod occupant_no_helmet;
mod picture_quality;
mod ponding;
mod properties;
mod reference;
mod scene;
mod segment_stack;
mod site;
mod special_vehicle;
mod things;
