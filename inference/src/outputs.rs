//! What a network gives: the shapes that a manifest promises, and views of the numbers.

use ndarray::{ArrayView1, ArrayView2, ArrayViewD, Axis, Ix1, Ix2};

/// One side of an output, after the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Exactly(usize),
    /// `beside` numbers and one per class.
    Classes {
        beside: usize,
        count: usize,
    },
    /// Any number up to this one.
    UpTo(usize),
}

impl Side {
    /// Whether so many fit.
    pub(crate) fn fits(self, found: usize) -> bool {
        match self {
            Self::Exactly(wanted) => found == wanted,
            Self::Classes { beside, count } => found == beside + count,
            Self::UpTo(most) => found <= most,
        }
    }
}

/// Type of an output's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Floats,
    Integers,
}

/// An output that the manifest promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) element: Element,
    /// Without the batch.
    pub(crate) sides: Vec<Side>,
}

impl Wanted {
    pub(crate) fn floats<const N: usize>(name: &str, sides: [Side; N]) -> Self {
        Self { name: name.to_owned(), element: Element::Floats, sides: sides.to_vec() }
    }

    pub(crate) fn integers<const N: usize>(name: &str, sides: [Side; N]) -> Self {
        Self { name: name.to_owned(), element: Element::Integers, sides: sides.to_vec() }
    }

    /// Whether an output of `shape` is what is wanted for `frames`.
    pub(crate) fn fits(&self, frames: usize, shape: &[usize]) -> bool {
        matches!(shape, [batch, sides @ ..] if *batch == frames
            && sides.len() == self.sides.len()
            && self.sides.iter().zip(sides).all(|(wanted, found)| wanted.fits(*found)))
    }
}

/// Numbers of one output.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Floats(ArrayViewD<'a, f32>),
    Integers(ArrayViewD<'a, i64>),
}

impl Values<'_> {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(values) => values.shape(),
            Self::Integers(values) => values.shape(),
        }
    }
}

/// Numbers of all wanted outputs of one run, in the order they were asked for; shapes and types have been checked.
#[derive(Debug)]
pub(crate) struct Outputs<'a>(Vec<Values<'a>>);

impl<'a> Outputs<'a> {
    pub(crate) fn of(values: impl IntoIterator<Item = Values<'a>>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Rows and columns of output `at` for frame `slot`.
    pub(crate) fn matrix(&self, at: usize, slot: usize) -> ArrayView2<'_, f32> {
        self.floats(at, slot).into_dimensionality::<Ix2>().expect("the shape was checked after the run")
    }

    /// Numbers of output `at` for frame `slot`.
    pub(crate) fn vector(&self, at: usize, slot: usize) -> ArrayView1<'_, f32> {
        self.floats(at, slot).into_dimensionality::<Ix1>().expect("the shape was checked after the run")
    }

    /// Integers of output `at` for frame `slot`.
    pub(crate) fn integers(&self, at: usize, slot: usize) -> ArrayView1<'_, i64> {
        match &self.0[at] {
            Values::Integers(values) => values.index_axis(Axis(0), slot).into_dimensionality::<Ix1>(),
            Values::Floats(_) => unreachable!("the type was checked after the run"),
        }
        .expect("the shape was checked after the run")
    }

    fn floats(&self, at: usize, slot: usize) -> ArrayViewD<'_, f32> {
        match &self.0[at] {
            Values::Floats(values) => values.index_axis(Axis(0), slot),
            Values::Integers(_) => unreachable!("the type was checked after the run"),
        }
    }
}
