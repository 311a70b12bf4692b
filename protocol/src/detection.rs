//! What a detector says about one frame.

use serde::{Deserialize, Serialize};

use crate::BoundingBox;

/// Index of a class in the [`ClassTable`] of the model that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u16);

/// One object on one frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// What it is.
    pub class: ClassId,
    /// Confidence, 0–1.
    pub score: f32,
    /// Where it is.
    pub bbox: BoundingBox,
}

/// The classes of a model, in the order of its output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassTable(Vec<String>);

impl ClassTable {
    /// A person 人员.
    pub const PERSON: &'static str = "person";
    /// A head with a safety helmet on 安全帽.
    pub const HELMET: &'static str = "helmet";
    /// A head without a safety helmet.
    pub const HEAD: &'static str = "head";

    /// Cars, trucks, machines: tracked as one kind, the class voted per track.
    pub const VEHICLES: [&'static str; 15] = [
        "car",
        "truck",
        "bus",
        "excavator",
        "dump_truck",
        "loader",
        "bulldozer",
        "mixer_truck",
        "crane",
        "forklift",
        "police_car",
        "fire_truck",
        "ambulance",
        "other_vehicle",
        "machine",
    ];
    /// What a rider rides: tracked as one kind.
    pub const TWO_WHEELERS: [&'static str; 3] = ["motorcycle", "bicycle", "e_bike"];

    /// What a second stage says of a whole person, with the person's own box: pairs of *worn* and *missing*.
    pub const WORN: [[&'static str; 2]; 2] = [["life_jacket", "no_life_jacket"], ["harness", "no_harness"]];
    /// What explains a person at a gate 大型物资, beside vehicles.
    pub const LOADS: [&'static str; 5] = ["hand_cart", "wheelbarrow", "large_material", "large_equipment", "pallet"];

    /// Makes a table.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// Index of the class called `name`.
    pub fn id(&self, name: &str) -> Option<ClassId> {
        self.0.iter().position(|n| n == name).map(|i| ClassId(i as u16))
    }

    /// Name of class `id`; `"?"` for an index the model does not have.
    pub fn name(&self, id: ClassId) -> &str {
        self.0.get(usize::from(id.0)).map_or("?", String::as_str)
    }

    /// All names in order.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}
