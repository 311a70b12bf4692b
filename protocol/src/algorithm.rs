//! The site algorithms and what the users call them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A site algorithm 算法 (row ids of the requirements in parentheses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// 未戴安全帽 (A0): a worker's bare head.
    NoHelmet,
    /// 周界入侵 / 人员非法进出 (A0): a person inside a forbidden zone.
    Intrusion,
    /// 人员聚集 (A0): too many people in a zone for too long.
    Crowd,
    /// 围挡缺失 (A0): a fence differs from its approved reference picture.
    FenceMissing,
    /// 未系安全带 (A0): a person at height without a safety harness.
    NoHarness,
    /// 驾乘人员未戴安全帽 (A1): a person lingers at a vehicle with a bare head.
    OccupantNoHelmet,
    /// 携带大型物资出入工地 (A2): explains a person at the gate, and holds the intrusion alarm back.
    LargeMaterial,
    /// 救生衣未穿戴 (A3): a person at the water's edge without a life jacket.
    NoLifeJacket,
    /// 驾驶电瓶车进入作业区 (A4): somebody rides a two-wheeler in the work zone.
    EBike,
    /// 工程车辆识别 (A5): machines and trucks that enter, by class, counted.
    ConstructionVehicle,
    /// 临边防护 (A6): edge protection differs from its approved reference picture.
    EdgeProtection,
    /// 烟火检测 (A7): fire or smoke.
    FireSmoke,
    /// 积水检测 (A8): a share of the zone is under water.
    Ponding,
    /// 盾构管片及预制构件堆叠过高 (A9): more layers than allowed.
    SegmentStack,
    /// 脚手架上物件悬挑 (A10): something juts out beside the approved reference picture.
    Overhang,
    /// 特殊车辆识别 (A11): police, fire engine, ambulance told apart.
    SpecialVehicle,
    /// 摄像头画面质量异常 (A12): black, white, blurred, frozen, covered, shifted …
    PictureQuality,
}

/// A name that no algorithm has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {0:?}; known are {known}", known = Algorithm::ALL.map(Algorithm::as_str).join(", "))]
pub struct UnknownAlgorithm(String);

/// What is fixed about an algorithm.
struct Facts {
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    requirement: &'static str,
    needs: &'static [&'static str],
}

impl Algorithm {
    /// Every algorithm, in the order the console lists them.
    pub const ALL: [Self; 17] = [
        Self::NoHelmet,
        Self::Intrusion,
        Self::Crowd,
        Self::FenceMissing,
        Self::NoHarness,
        Self::OccupantNoHelmet,
        Self::LargeMaterial,
        Self::NoLifeJacket,
        Self::EBike,
        Self::ConstructionVehicle,
        Self::EdgeProtection,
        Self::FireSmoke,
        Self::Ponding,
        Self::SegmentStack,
        Self::Overhang,
        Self::SpecialVehicle,
        Self::PictureQuality,
    ];

    const fn facts(self) -> Facts {
        let (name, zh, en, requirement, needs): (_, _, _, _, &[&str]) = match self {
            Self::NoHelmet => ("no_helmet", "未戴安全帽", "No helmet", "A0", &["person", "helmet", "head"]),
            Self::Intrusion => ("intrusion", "人员非法进出", "Intrusion", "A0", &["person"]),
            Self::Crowd => ("crowd", "人员聚集", "Crowd", "A0", &["person"]),
            Self::FenceMissing => ("fence_missing", "围挡缺失", "Fence missing", "A0", &[]),
            Self::NoHarness => {
                ("no_harness", "未系安全带", "No safety harness", "A0", &["person", "harness", "no_harness"])
            }
            Self::OccupantNoHelmet => (
                "occupant_no_helmet",
                "驾乘人员未戴安全帽",
                "No helmet at a vehicle",
                "A1",
                &["person", "helmet", "head", "truck"],
            ),
            Self::LargeMaterial => {
                ("large_material", "携带大型物资出入", "Large material carried", "A2", &["person", "hand_cart"])
            }
            Self::NoLifeJacket => {
                ("no_life_jacket", "未穿救生衣", "No life jacket", "A3", &["person", "life_jacket", "no_life_jacket"])
            }
            Self::EBike => ("e_bike", "电瓶车进入作业区", "Scooter in the work zone", "A4", &["person", "motorcycle"]),
            Self::ConstructionVehicle => ("construction_vehicle", "工程车辆", "Construction vehicle", "A5", &["truck"]),
            Self::EdgeProtection => ("edge_protection", "临边防护缺失", "Edge protection missing", "A6", &[]),
            Self::FireSmoke => ("fire_smoke", "烟火", "Fire or smoke", "A7", &["fire", "smoke"]),
            Self::Ponding => ("ponding", "积水", "Ponding water", "A8", &["ponding"]),
            Self::SegmentStack => ("segment_stack", "管片堆叠过高", "Segments stacked too high", "A9", &["segment"]),
            Self::Overhang => ("overhang", "脚手架物件悬挑", "Overhang on a scaffold", "A10", &[]),
            Self::SpecialVehicle => {
                ("special_vehicle", "特殊车辆", "Special vehicle", "A11", &["police_car", "fire_truck", "ambulance"])
            }
            Self::PictureQuality => ("picture_quality", "画面质量异常", "Picture quality", "A12", &[]),
        };
        Facts { name, zh, en, requirement, needs }
    }

    /// Stable name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The users' term.
    pub const fn name_zh(self) -> &'static str {
        self.facts().zh
    }

    /// English name.
    pub const fn name_en(self) -> &'static str {
        self.facts().en
    }

    /// The row of the requirements that asks for it.
    pub const fn requirement(self) -> &'static str {
        self.facts().requirement
    }

    /// Classes that the models of an edge must know together before this algorithm can run.
    pub const fn needed_classes(self) -> &'static [&'static str] {
        self.facts().needs
    }

    /// Whether it compares the picture with an approved reference 参考画面, instead of looking for objects.
    pub const fn compares_with_reference(self) -> bool {
        matches!(self, Self::FenceMissing | Self::EdgeProtection | Self::Overhang)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|a| a.as_str() == text).ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}
