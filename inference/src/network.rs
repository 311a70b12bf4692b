//! One ONNX Runtime session, checked against its manifest.

use std::path::Path;

use ndarray::{Array4, ArrayView3, ArrayViewD, Ix3, s};
use ort::{
    ep,
    logging::LogLevel,
    session::{Session, builder::GraphOptimizationLevel},
    value::{Outlet, TensorElementType, TensorRef, ValueType},
};

use crate::{InferenceError, Manifest, ModelRefused, Runtime, heads::Head, runtime::guarded};

/// The session and its input tensor.
pub(crate) struct Network {
    session: Session,
    output: String,
    rows_and_columns: (usize, usize),
    batch: Array4<f32>,
}

impl Network {
    /// Makes a session of `model`, the content of the file at `path`.
    pub(crate) fn load(
        runtime: &Runtime,
        path: &Path,
        model: &[u8],
        manifest: &Manifest,
        head: &Head,
        threads: usize,
    ) -> Result<Self, ModelRefused> {
        let session = guarded(|| session(runtime, model, threads).map_err(|e| e.to_string()))
            .map_err(|reason| ModelRefused::NotLoadable { path: path.to_owned(), reason })?;
        check_input(session.inputs(), manifest)?;
        check_output(session.outputs(), manifest, head)?;
        let input = &manifest.input;
        let batch = Array4::zeros((input.max_batch, 3, input.height as usize, input.width as usize));
        let output = manifest.output.name.clone();
        let mut network = Self { session, output, rows_and_columns: head.shape(), batch };
        // Dimensions that the file leaves free show in a run; a batch frozen at export shows from two frames on.
        let frames = input.max_batch.min(2);
        let shape = network.run_raw(frames, |output| output.shape().to_vec())?;
        let shape: Vec<_> = shape.into_iter().map(side).collect();
        check_output_shape(&shape, side(frames), manifest, head)?;
        Ok(network)
    }

    /// Where frame `slot` of the batch is to be written.
    pub(crate) fn slot(&mut self, slot: usize) -> &mut [f32] {
        let len = self.batch.len() / self.batch.dim().0;
        let all = self.batch.as_slice_mut().expect("a tensor made by `zeros` is contiguous");
        &mut all[slot * len..(slot + 1) * len]
    }

    /// The most frames in one run.
    pub(crate) fn max_batch(&self) -> usize {
        self.batch.dim().0
    }

    /// Runs the first `frames` slots and hands the output, frame × row × column, to `read`.
    pub(crate) fn run<T>(
        &mut self,
        frames: usize,
        read: impl FnOnce(ArrayView3<'_, f32>) -> T,
    ) -> Result<T, InferenceError> {
        let (rows, columns) = self.rows_and_columns;
        self.run_raw(frames, |output| {
            let found = format_shape(output.shape().iter());
            match output.into_dimensionality::<Ix3>() {
                Ok(output) if output.dim() == (frames, rows, columns) => Ok(read(output)),
                _ => Err(InferenceError::OutputShape { expected: format_shape([frames, rows, columns].iter()), found }),
            }
        })?
    }

    fn run_raw<T>(&mut self, frames: usize, read: impl FnOnce(ArrayViewD<'_, f32>) -> T) -> Result<T, InferenceError> {
        let failed = |e: ort::Error| InferenceError::Run(e.to_string());
        let input = TensorRef::from_array_view(self.batch.slice(s![..frames, .., .., ..])).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(failed)?;
        let output = outputs.get(&self.output).ok_or_else(|| InferenceError::Run("it gave no output".into()))?;
        let output = output.try_extract_array::<f32>().map_err(failed)?;
        Ok(read(output))
    }
}

/// A folder in which no file can be. ONNX files may keep weights in other files, which are looked up beside the
/// process when the model comes from memory; a package's weights are in the one file whose hash is checked.
const NO_FOLDER: &str = "/dev/null";

fn session(runtime: &Runtime, model: &[u8], threads: usize) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        // Named on purpose: without it the library may choose an accelerator, and health would report a wrong one.
        .with_execution_providers([ep::CPU::default().with_arena_allocator(true).build().error_on_failure()])?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_memory_pattern(true)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        // Spinning threads would take the time of the decoders.
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)?
        .with_log_level(LogLevel::Error)?
        .commit_from_memory(model)
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

fn tensor(outlet: &Outlet) -> Result<(TensorElementType, &[i64]), String> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => Ok((*ty, shape)),
        other => Err(other.to_string()),
    }
}

fn check_input(inputs: &[Outlet], manifest: &Manifest) -> Result<(), ModelRefused> {
    let expected = &manifest.input;
    let [input] = inputs else {
        return Err(ModelRefused::InputName { expected: expected.name.clone(), found: names(inputs) });
    };
    if input.name() != expected.name {
        return Err(ModelRefused::InputName { expected: expected.name.clone(), found: names(inputs) });
    }
    let (element, shape) = tensor(input).map_err(ModelRefused::InputType)?;
    if element != TensorElementType::Float32 {
        return Err(ModelRefused::InputType(element.to_string()));
    }
    // A free dimension takes anything; a fixed batch fits only when batches of that very size are all there is.
    let fits = |declared: i64, wanted: i64| declared == -1 || declared == wanted;
    let (height, width) = (i64::from(expected.height), i64::from(expected.width));
    let fit = match *shape {
        [batch, channels, h, w] => {
            let batch_fits = batch == -1 || (batch == 1 && expected.max_batch == 1);
            batch_fits && fits(channels, 3) && fits(h, height) && fits(w, width)
        }
        _ => false,
    };
    if fit {
        return Ok(());
    }
    let batch = if expected.max_batch == 1 { 1 } else { -1 };
    Err(ModelRefused::InputShape {
        expected: format_declared(&[batch, 3, height, width]),
        found: format_declared(shape),
    })
}

fn check_output(outputs: &[Outlet], manifest: &Manifest, head: &Head) -> Result<(), ModelRefused> {
    let expected = &manifest.output.name;
    let Some(output) = outputs.iter().find(|output| output.name() == expected) else {
        return Err(ModelRefused::OutputName { expected: expected.clone(), found: names(outputs) });
    };
    let (element, shape) = tensor(output).map_err(ModelRefused::OutputType)?;
    if element != TensorElementType::Float32 {
        return Err(ModelRefused::OutputType(element.to_string()));
    }
    check_output_shape(shape, -1, manifest, head)
}

/// Compares the output's shape with the manifest's; -1 is a dimension that is free.
fn check_output_shape(shape: &[i64], frames: i64, manifest: &Manifest, head: &Head) -> Result<(), ModelRefused> {
    let (rows, columns) = head.shape();
    let (rows, columns, beside) = (side(rows), side(columns), side(head.columns_beside_classes()));
    let fits = |found: i64, wanted: i64| found == -1 || wanted == -1 || found == wanted;
    match *shape {
        [n, r, c] if fits(n, frames) && fits(r, rows) && fits(c, columns) => Ok(()),
        [n, r, c] if fits(n, frames) && fits(r, rows) && c > beside => Err(ModelRefused::ClassCount {
            manifest: manifest.classes.len(),
            network: usize::try_from(c - beside).unwrap_or_default(),
        }),
        _ => Err(ModelRefused::OutputShape {
            expected: format_declared(&[frames, rows, columns]),
            found: format_declared(shape),
        }),
    }
}
