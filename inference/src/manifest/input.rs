//! `[input]` and `[crop]`: what goes into the network.

use super::{
    HeadSpec, spec,
    values::{bad, check, check_label, tensor_name},
};
use crate::ModelRefused;

/// The largest batch tensor a manifest may ask for, in values (256 MiB).
const MAX_BATCH_VALUES: u64 = 64 << 20;
/// The most grid cells a head may have: four times those of a 4096 × 4096 input with strides from 8 on.
const MAX_CELLS: u64 = 1 << 20;

/// The network's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name in the network.
    pub name: String,
    /// A second input that takes width and height of the picture as two 64-bit integers (DETR exports).
    pub size_name: Option<String>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Whether colours are planes or lie side by side.
    pub layout: Layout,
    /// Order of the colours.
    pub order: ChannelOrder,
    /// `tensor = (pixel * scale - mean) / std`.
    pub scale: f32,
    /// Per colour, in the order of the tensor.
    pub mean: [f32; 3],
    /// Per colour, in the order of the tensor.
    pub std: [f32; 3],
    /// How the picture is brought to the input's size.
    pub resize: Resize,
    /// Grey level beside the picture.
    pub pad: u8,
    /// The most frames in one run.
    pub max_batch: usize,
}

/// Where the colours of one pixel lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A plane per colour: frame × colour × row × column.
    Nchw,
    /// Colours side by side: frame × row × column × colour.
    Nhwc,
}

/// Order of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Blue first.
    Bgr,
    /// Red first.
    Rgb,
}

/// How a picture is brought to the input's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// As large as fits, at the top left, the rest padded (YOLOX).
    LetterboxTopLeft,
    /// As large as fits, in the middle, the rest padded (Ultralytics).
    LetterboxCenter,
    /// Width and height each to the input's, without keeping the shape (DETR family, classifiers).
    Stretch,
}

/// Which boxes of a first stage a second stage looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct CropSpec {
    /// Classes of the first stage.
    pub of: Vec<String>,
    /// How much is added on each side, as a share of the box's width and height, 0–1.
    pub margin: f32,
    /// Boxes whose shorter side is below this many pixels are not looked at.
    pub min_px: u32,
    /// The most boxes per frame, 1–64.
    pub max_per_frame: usize,
}

pub(super) fn input(spec: spec::Input, head: &HeadSpec) -> Result<Input, ModelRefused> {
    let name = tensor_name("input.name", spec.name)?;
    let size_name = spec.size_name.map(|name| tensor_name("input.size_name", name)).transpose()?;
    check(size_name.is_none() || matches!(head, HeadSpec::Detr(_)), "input.size_name", || {
        "belongs to a `detr` head only".into()
    })?;
    let (strides, whole_cells) = match head {
        HeadSpec::Yolox { strides, .. } => (strides.as_slice(), true),
        HeadSpec::Gfl { strides, .. } => (strides.as_slice(), false),
        _ => (&[][..], false),
    };
    for (key, side) in [("input.width", spec.width), ("input.height", spec.height)] {
        let valid = (32..=4096).contains(&side) && (!whole_cells || strides.iter().all(|stride| side % stride == 0));
        check(valid, key, || format!("is {side}, must be 32 to 4096 and a multiple of every stride"))?;
    }
    let cells = strides.iter().map(|s| u64::from(spec.width.div_ceil(*s)) * u64::from(spec.height.div_ceil(*s)));
    check(cells.sum::<u64>() <= MAX_CELLS, "output.strides", || format!("make more than {MAX_CELLS} cells"))?;
    let layout = match spec.layout.as_str() {
        "nchw" => Layout::Nchw,
        "nhwc" => Layout::Nhwc,
        other => return Err(bad("input.layout", format!("is `{other}`, must be `nchw` or `nhwc`"))),
    };
    let resize = match spec.resize.as_str() {
        "letterbox-top-left" => Resize::LetterboxTopLeft,
        "letterbox-center" => Resize::LetterboxCenter,
        "stretch" => Resize::Stretch,
        other => {
            let reason = format!("is `{other}`, must be `letterbox-top-left`, `letterbox-center` or `stretch`");
            return Err(bad("input.resize", reason));
        }
    };
    let order = match spec.color.as_str() {
        "bgr" => ChannelOrder::Bgr,
        "rgb" => ChannelOrder::Rgb,
        other => return Err(bad("input.color", format!("is `{other}`, must be `bgr` or `rgb`"))),
    };
    check(spec.scale.is_finite() && spec.scale > 0.0, "input.scale", || "must be above 0".into())?;
    check(spec.mean.iter().all(|v| v.is_finite()), "input.mean", || "must be three numbers".into())?;
    check(spec.std.iter().all(|v| v.is_finite() && *v > 0.0), "input.std", || "must be above 0".into())?;
    check((1..=64).contains(&spec.max_batch), "input.max_batch", || "must be 1 to 64".into())?;
    let values = 3 * u64::from(spec.width) * u64::from(spec.height) * u64::from(spec.max_batch);
    check(values <= MAX_BATCH_VALUES, "input.max_batch", || "makes the input larger than 256 MiB".into())?;
    Ok(Input {
        name,
        size_name,
        width: spec.width,
        height: spec.height,
        layout,
        order,
        scale: spec.scale,
        mean: spec.mean,
        std: spec.std,
        resize,
        pad: spec.pad,
        max_batch: spec.max_batch as usize,
    })
}

pub(super) fn crop(spec: Option<spec::Crop>, head: &HeadSpec) -> Result<Option<CropSpec>, ModelRefused> {
    let second_stage = !head.is_detector();
    let Some(spec) = spec else {
        check(!second_stage, "crop", || format!("must say what a `{}` head looks at", head.name()))?;
        return Ok(None);
    };
    check(second_stage, "crop", || format!("does not belong to a `{}` head", head.name()))?;
    check((1..=64).contains(&spec.of.len()), "crop.of", || "must name 1 to 64 classes".into())?;
    spec.of.iter().try_for_each(|name| check_label("crop.of", name))?;
    check((0.0..=1.0).contains(&spec.margin), "crop.margin", || "must be 0 to 1".into())?;
    check((1..=4096).contains(&spec.min_px), "crop.min_px", || "must be 1 to 4096".into())?;
    check((1..=64).contains(&spec.max_per_frame), "crop.max_per_frame", || "must be 1 to 64".into())?;
    Ok(Some(CropSpec {
        of: spec.of,
        margin: spec.margin,
        min_px: spec.min_px,
        max_per_frame: spec.max_per_frame as usize,
    }))
}
