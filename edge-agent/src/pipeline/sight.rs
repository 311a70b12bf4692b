//! What the models can see together: one table of classes, and which model answers for which class.

use protocol::{Algorithm, ClassId, ClassTable, ModelRef, TimedBox};

use super::models::{MAX_MODELS, Models};

/// A set of models, by their place: first stages, then second stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModelSet(u64);

impl ModelSet {
    pub(crate) fn insert(&mut self, model: usize) {
        debug_assert!(model < MAX_MODELS);
        self.0 |= 1 << model;
    }

    pub(crate) fn contains(self, model: usize) -> bool {
        model < MAX_MODELS && self.0 & (1 << model) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One model.
#[derive(Clone, Debug)]
struct Known {
    model: ModelRef,
    /// Of each of its classes, the class in the common table; `None` for `other_…`.
    classes: Vec<Option<ClassId>>,
    /// Of a second stage: the classes whose boxes it looks at.
    crops: Option<Vec<ClassId>>,
}

/// What the loaded models can see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    classes: ClassTable,
    models: Vec<Known>,
    /// Of every class, the model that answers for it.
    owners: Vec<usize>,
    refused: Vec<String>,
}

impl Sight {
    pub(crate) fn of(models: &Models) -> Self {
        let mut sight = Self { refused: models.refused.clone(), ..Self::default() };
        let mut names: Vec<String> = Vec::new();
        for detector in models.detectors.iter().take(MAX_MODELS) {
            sight.add(&mut names, detector.model(), detector.classes(), None);
        }
        for classifier in models.classifiers.iter().take(MAX_MODELS.saturating_sub(models.detectors.len())) {
            let first = ClassTable::new(names.iter().cloned());
            let crops: Vec<ClassId> = classifier.crops().of.iter().filter_map(|name| first.id(name)).collect();
            sight.add(&mut names, classifier.model(), classifier.classes(), Some(crops));
        }
        sight.classes = ClassTable::new(names);
        sight
    }

    fn add(&mut self, names: &mut Vec<String>, model: ModelRef, own: &ClassTable, crops: Option<Vec<ClassId>>) {
        let place = self.models.len();
        // A second stage without anything to look at sees nothing.
        let blind = crops.as_ref().is_some_and(Vec::is_empty);
        let classes = own.names().iter().map(|name| {
            if blind || name.starts_with("other_") && crops.is_some() {
                return None;
            }
            let known = names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name.clone());
                self.owners.push(place);
                names.len() - 1
            });
            Some(ClassId(known as u16))
        });
        let classes = classes.collect();
        self.models.push(Known { model, classes, crops });
    }

    /// The common table.
    pub(crate) fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// The class in the common table that model `model` means by its own `class`.
    pub(crate) fn common(&self, model: usize, class: ClassId) -> Option<ClassId> {
        *self.models.get(model)?.classes.get(usize::from(class.0))?
    }

    /// Whether `model` answers for `class`.
    pub(crate) fn is_owner(&self, model: usize, class: ClassId) -> bool {
        self.owners.get(usize::from(class.0)) == Some(&model)
    }

    /// Name and version of a model.
    pub(crate) fn model(&self, model: usize) -> Option<&ModelRef> {
        self.models.get(model).map(|m| &m.model)
    }

    /// What a task of `algorithm` looks for, as far as it is known here.
    pub(crate) fn wanted(&self, algorithm: Algorithm) -> Vec<ClassId> {
        let names = algorithm.needed_classes().iter().chain(also_useful(algorithm).iter().copied().flatten());
        let mut wanted: Vec<ClassId> = names.filter_map(|name| self.classes.id(name)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// The models that must run to see `classes`: who answers for each, every second stage that knows one, and
    /// who finds the boxes that those look at.
    pub(crate) fn models_for(&self, classes: &[ClassId]) -> ModelSet {
        let mut set = ModelSet::default();
        for class in classes {
            if let Some(owner) = self.owners.get(usize::from(class.0)) {
                set.insert(*owner);
            }
        }
        for (place, known) in self.models.iter().enumerate() {
            let knows_one = known.classes.iter().flatten().any(|class| classes.contains(class));
            if let Some(crops) = known.crops.as_ref().filter(|_| knows_one) {
                set.insert(place);
                crops.iter().filter_map(|c| self.owners.get(usize::from(c.0))).for_each(|owner| set.insert(*owner));
            }
        }
        set
    }

    /// Why `algorithm` cannot run here, if so.
    pub(crate) fn lacking(&self, algorithm: Algorithm) -> Option<String> {
        let missing = algorithm.needed_classes().iter().find(|class| self.classes.id(class).is_none())?;
        let refused = self.refused.join("; ");
        if self.models.is_empty() {
            return Some(format!("no model is loaded on this edge: {refused}"));
        }
        let models: Vec<String> = self.models.iter().map(|m| format!("{} {}", m.model.name, m.model.version)).collect();
        let (noun, verb) = if models.len() == 1 { ("the model", "does") } else { ("the models", "do") };
        let (models, name) = (models.join(", "), algorithm.name_zh());
        let mut reason = format!("{noun} {models} {verb} not know the class `{missing}`, which {name} needs");
        if !refused.is_empty() {
            reason = format!("{reason} (not used: {refused})");
        }
        Some(reason)
    }

    /// The model whose class decided: that of the subject, what it wears or lacks before the person itself.
    pub(crate) fn decided(&self, algorithm: Algorithm, boxes: &[TimedBox]) -> ModelRef {
        let subjects = || boxes.iter().filter(|b| b.subject).map(|b| b.class.as_str());
        let special = subjects().find(|class| *class != ClassTable::PERSON);
        let needed = || algorithm.needed_classes().first().copied();
        let class = special.or_else(|| subjects().next()).or_else(needed).and_then(|name| self.classes.id(name));
        let owner = class.and_then(|id| self.owners.get(usize::from(id.0))).and_then(|owner| self.model(*owner));
        owner.cloned().unwrap_or_else(|| without_model(algorithm))
    }
}

/// What decides when no model does: own measures, of the agent's version.
fn without_model(algorithm: Algorithm) -> ModelRef {
    let name = if algorithm.compares_with_reference() { "reference-comparison" } else { "picture-measures" };
    ModelRef { name: name.into(), version: env!("CARGO_PKG_VERSION").into() }
}

/// Classes that help an algorithm where a model knows them.
fn also_useful(algorithm: Algorithm) -> &'static [&'static [&'static str]] {
    const VEHICLES: &[&str] = &ClassTable::VEHICLES;
    const TWO_WHEELERS: &[&str] = &ClassTable::TWO_WHEELERS;
    const PERSON: &[&str] = &[ClassTable::PERSON];
    match algorithm {
        Algorithm::OccupantNoHelmet | Algorithm::ConstructionVehicle | Algorithm::SpecialVehicle => &[VEHICLES],
        Algorithm::LargeMaterial => &[VEHICLES, TWO_WHEELERS],
        Algorithm::EBike => &[TWO_WHEELERS],
        // What moves in front of the region is left out of the comparison.
        Algorithm::FenceMissing | Algorithm::EdgeProtection | Algorithm::Overhang => &[PERSON, VEHICLES, TWO_WHEELERS],
        _ => &[],
    }
}

#[cfg(test)]
#[path = "sight_tests.rs"]
pub(super) mod tests;
