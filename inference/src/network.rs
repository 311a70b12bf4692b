//! One ONNX Runtime session, checked against its manifest.

use std::path::Path;

use ndarray::Array2;
use ort::{
    session::Session,
    value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType},
};

use crate::{
    InferenceError, Manifest, ModelRefused, Runtime,
    execution::{self, Execution},
    manifest::Layout,
    outputs::{Element, Outputs, Side, Values, Wanted},
    runtime::guarded,
};

/// The session and its input tensor.
pub(crate) struct Network {
    session: Session,
    input: String,
    /// Name of the second input and width and height of the canvas, frame by frame.
    sizes: Option<(String, Array2<i64>)>,
    wanted: Vec<Wanted>,
    /// Sides of the input tensor, the first being the most frames.
    shape: [usize; 4],
    batch: Vec<f32>,
}

impl Network {
    /// Makes a session of `model`, the content of the file at `path`, and checks that it gives what is `wanted`.
    pub(crate) fn load(
        runtime: &Runtime,
        path: &Path,
        model: &[u8],
        manifest: &Manifest,
        wanted: Vec<Wanted>,
        execution: &Execution,
    ) -> Result<Self, ModelRefused> {
        let session = guarded(|| execution::session(runtime, model, execution).map_err(|e| e.to_string()))
            .map_err(|reason| ModelRefused::NotLoadable { path: path.to_owned(), reason })?;
        check_inputs(session.inputs(), manifest)?;
        wanted.iter().try_for_each(|wanted| check_output(session.outputs(), manifest, wanted))?;
        let input = &manifest.input;
        let (width, height) = (input.width as usize, input.height as usize);
        let shape = match input.layout {
            Layout::Nchw => [input.max_batch, 3, height, width],
            Layout::Nhwc => [input.max_batch, height, width, 3],
        };
        let size = |(_, at): (usize, usize)| i64::from(if at == 0 { input.width } else { input.height });
        let sizes = input.size_name.clone().map(|name| (name, Array2::from_shape_fn((input.max_batch, 2), size)));
        let batch = vec![0.0; shape.iter().product()];
        let mut network = Self { session, input: input.name.clone(), sizes, wanted, shape, batch };
        // Dimensions that the file leaves free show in a run; a batch frozen at export shows from two frames on.
        let frames = input.max_batch.min(2);
        let shapes = network.run_raw(frames, |values| values.iter().map(|v| v.shape().to_vec()).collect::<Vec<_>>())?;
        for (wanted, shape) in network.wanted.iter().zip(shapes) {
            let shape: Vec<_> = shape.into_iter().map(side).collect();
            check_output_shape(&shape, side(frames), manifest, wanted)?;
        }
        Ok(network)
    }

    /// Where frame `slot` of the batch is to be written.
    pub(crate) fn slot(&mut self, slot: usize) -> &mut [f32] {
        let len = self.batch.len() / self.shape[0];
        &mut self.batch[slot * len..(slot + 1) * len]
    }

    /// The most frames in one run.
    pub(crate) fn max_batch(&self) -> usize {
        self.shape[0]
    }

    /// Runs the first `frames` slots and hands the outputs, each frame × …, to `read`.
    pub(crate) fn run<T>(&mut self, frames: usize, read: impl FnOnce(&Outputs<'_>) -> T) -> Result<T, InferenceError> {
        let wanted = std::mem::take(&mut self.wanted);
        let result = self.run_wanted(frames, &wanted, |values| {
            for (wanted, values) in wanted.iter().zip(&values) {
                if !wanted.fits(frames, values.shape()) {
                    let expected = format_wanted(side(frames), wanted);
                    return Err(InferenceError::OutputShape { expected, found: format_shape(values.shape().iter()) });
                }
            }
            Ok(read(&Outputs::of(values)))
        });
        self.wanted = wanted;
        result?
    }

    fn run_raw<T>(&mut self, frames: usize, read: impl FnOnce(Vec<Values<'_>>) -> T) -> Result<T, InferenceError> {
        let wanted = std::mem::take(&mut self.wanted);
        let result = self.run_wanted(frames, &wanted, read);
        self.wanted = wanted;
        result
    }

    fn run_wanted<T>(
        &mut self,
        frames: usize,
        wanted: &[Wanted],
        read: impl FnOnce(Vec<Values<'_>>) -> T,
    ) -> Result<T, InferenceError> {
        let failed = |e: ort::Error| InferenceError::Run(e.to_string());
        let shape = [frames, self.shape[1], self.shape[2], self.shape[3]];
        let tensor = TensorRef::from_array_view((shape, &self.batch[..shape.iter().product()])).map_err(failed)?;
        let outputs = match &self.sizes {
            None => self.session.run(ort::inputs![self.input.as_str() => tensor]),
            Some((name, sizes)) => {
                let sizes = TensorRef::from_array_view(sizes.slice(ndarray::s![..frames, ..])).map_err(failed)?;
                self.session.run(ort::inputs![self.input.as_str() => tensor, name.as_str() => sizes])
            }
        }
        .map_err(failed)?;
        let values = wanted.iter().map(|wanted| {
            let output = outputs.get(&wanted.name).ok_or_else(|| InferenceError::Run("an output is missing".into()))?;
            values(output, wanted.element).map_err(failed)
        });
        Ok(read(values.collect::<Result<_, _>>()?))
    }
}

fn values(output: &DynValue, element: Element) -> ort::Result<Values<'_>> {
    Ok(match element {
        Element::Floats => Values::Floats(output.try_extract_array()?),
        Element::Integers => Values::Integers(output.try_extract_array()?),
    })
}

/// A dimension as ONNX Runtime counts it.
fn side(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn names(outlets: &[Outlet]) -> String {
    outlets.iter().map(Outlet::name).collect::<Vec<_>>().join(", ")
}

fn format_shape<'a, T: ToString + 'a>(shape: impl Iterator<Item = &'a T>) -> String {
    shape.map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// As `format_shape`, with `N` for a dimension that is free.
fn format_declared(shape: &[i64]) -> String {
    format_shape(shape.iter()).replace("-1", "N")
}

fn format_wanted(frames: i64, wanted: &Wanted) -> String {
    let sides = wanted.sides.iter().map(|side| match *side {
        Side::Exactly(count) => count.to_string(),
        Side::Classes { beside, count } => (beside + count).to_string(),
        Side::UpTo(most) => format!("(up to {most})"),
    });
    let batch = if frames == -1 { "N".to_owned() } else { frames.to_string() };
    std::iter::once(batch).chain(sides).collect::<Vec<_>>().join("×")
}

fn tensor(outlet: &Outlet) -> Result<(TensorElementType, &[i64]), String> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => Ok((*ty, shape)),
        other => Err(other.to_string()),
    }
}

fn check_inputs(inputs: &[Outlet], manifest: &Manifest) -> Result<(), ModelRefused> {
    let expected = &manifest.input;
    let wanted: Vec<&str> =
        [Some(&expected.name), expected.size_name.as_ref()].into_iter().flatten().map(String::as_str).collect();
    let find = |name: &str| inputs.iter().find(|input| input.name() == name);
    let (Some(input), true) = (find(&expected.name), inputs.len() == wanted.len()) else {
        return Err(ModelRefused::InputName { expected: wanted.join(", "), found: names(inputs) });
    };
    if let Some(name) = &expected.size_name {
        let Some(sizes) = find(name) else {
            return Err(ModelRefused::InputName { expected: wanted.join(", "), found: names(inputs) });
        };
        let (element, shape) = tensor(sizes).map_err(ModelRefused::SizeInput)?;
        let batch_fits = |batch: i64| batch == -1 || (batch == 1 && expected.max_batch == 1);
        if element != TensorElementType::Int64 || !matches!(*shape, [batch, -1 | 2] if batch_fits(batch)) {
            return Err(ModelRefused::SizeInput(format!("{element} {}", format_declared(shape))));
        }
    }
    let (element, shape) = tensor(input).map_err(ModelRefused::InputType)?;
    if element != TensorElementType::Float32 {
        return Err(ModelRefused::InputType(element.to_string()));
    }
    // A free dimension takes anything; a fixed batch fits only when batches of that very size are all there is.
    let (height, width) = (i64::from(expected.height), i64::from(expected.width));
    let sides = match expected.layout {
        Layout::Nchw => [3, height, width],
        Layout::Nhwc => [height, width, 3],
    };
    let batch_fits = |batch: i64| batch == -1 || (batch == 1 && expected.max_batch == 1);
    let fit = matches!(*shape, [batch, ref found @ ..] if batch_fits(batch)
        && found.len() == sides.len()
        && found.iter().zip(sides).all(|(&found, wanted)| found == -1 || found == wanted));
    if fit {
        return Ok(());
    }
    let batch = if expected.max_batch == 1 { 1 } else { -1 };
    let expected = format_declared(&[batch, sides[0], sides[1], sides[2]]);
    Err(ModelRefused::InputShape { expected, found: format_declared(shape) })
}

fn check_output(outputs: &[Outlet], manifest: &Manifest, wanted: &Wanted) -> Result<(), ModelRefused> {
    let Some(output) = outputs.iter().find(|output| output.name() == wanted.name) else {
        return Err(ModelRefused::OutputName { expected: wanted.name.clone(), found: names(outputs) });
    };
    let (element, shape) = tensor(output).map_err(|found| ModelRefused::OutputType { wanted: "a tensor", found })?;
    let (fits, wanted_type) = match wanted.element {
        Element::Floats => (element == TensorElementType::Float32, "float32"),
        Element::Integers => (element == TensorElementType::Int64, "int64"),
    };
    if !fits {
        return Err(ModelRefused::OutputType { wanted: wanted_type, found: element.to_string() });
    }
    check_output_shape(shape, -1, manifest, wanted)
}

/// Compares the output's shape with the manifest's; -1 is a dimension that is free.
fn check_output_shape(shape: &[i64], frames: i64, manifest: &Manifest, wanted: &Wanted) -> Result<(), ModelRefused> {
    let refused =
        || ModelRefused::OutputShape { expected: format_wanted(frames, wanted), found: format_declared(shape) };
    let [batch, sides @ ..] = shape else { return Err(refused()) };
    if (*batch != -1 && frames != -1 && *batch != frames) || sides.len() != wanted.sides.len() {
        return Err(refused());
    }
    let fits = |(found, wanted): (&i64, &Side)| *found == -1 || usize::try_from(*found).is_ok_and(|n| wanted.fits(n));
    let mut wrong = sides.iter().zip(&wanted.sides).filter(|pair| !fits(*pair));
    match (wrong.next(), wrong.next()) {
        (None, _) => Ok(()),
        // Only the number of classes differs: that deserves its own words.
        (Some((&found, &Side::Classes { beside, .. })), None) if found > side(beside) => {
            Err(ModelRefused::ClassCount {
                manifest: manifest.classes.len(),
                network: usize::try_from(found - side(beside)).unwrap_or_default(),
            })
        }
        _ => Err(refused()),
    }
}
