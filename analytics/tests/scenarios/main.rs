//! Generated scenes, and what the rules make of them.

mod crowd;
mod e_bike;
mod engine;
mod intrusion;
mod large_material;
mod laws;
mod lines;
mod missing_gear;
mod no_helmet;
mod occupant_no_helmet;
mod properties;
mod scene;
mod site;
