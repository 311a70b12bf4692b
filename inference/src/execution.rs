//! How a network is run: on what, in which precision, and with how many threads.

use std::{fmt, thread};

use ort::{
    logging::LogLevel,
    memory::DeviceType,
    session::{
        Session,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
};

use crate::Runtime;

/// ONNX Runtime's own provider.
const CPU: &str = "CPUExecutionProvider";
/// Intel's plug-in.
const OPENVINO: &str = "OpenVINOExecutionProvider";

/// What computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// ONNX Runtime itself, on the processor.
    Cpu,
    /// A plug-in that was found beside ONNX Runtime.
    Plugin {
        /// Its name for itself, such as `OpenVINOExecutionProvider`.
        name: String,
        /// What it computes on.
        device: Device,
    },
}

/// Kind of hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Processor.
    Cpu,
    /// Graphics card.
    Gpu,
    /// Neural accelerator.
    Npu,
}

/// Numbers in which a network computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats, as trained.
    Fp32,
    /// 16-bit brain floats: what AMX and AVX-512 BF16 multiply; keeps the range, and 8 bits of the mantissa.
    Bf16,
    /// Left to the plug-in, which does not tell.
    Own,
}

/// How a network is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// What computes.
    pub provider: Provider,
    /// In which numbers.
    pub precision: Precision,
    /// Threads that share one run; 0 takes every core.
    pub threads: usize,
}

impl Execution {
    /// ONNX Runtime on the processor: what always works.
    pub fn cpu(threads: usize) -> Self {
        Self { provider: Provider::Cpu, precision: Precision::Fp32, threads }
    }

    /// Every way in which this machine could run a network, with up to `threads` threads (0: every core): the
    /// processor alone with one and with all threads, and what plug-ins offer.
    pub fn candidates(runtime: &Runtime, threads: usize) -> Vec<Self> {
        let all = if threads == 0 { thread::available_parallelism().map_or(1, usize::from) } else { threads };
        let mut found = vec![Self::cpu(1)];
        if all > 1 {
            found.push(Self::cpu(all));
        }
        for provider in plugins(runtime) {
            let on_processor = matches!(&provider, Provider::Plugin { name, device: Device::Cpu } if name == OPENVINO);
            let precisions: &[Precision] = match (on_processor, has_bf16()) {
                (true, true) => &[Precision::Fp32, Precision::Bf16],
                (true, false) => &[Precision::Fp32],
                (false, _) => &[Precision::Own],
            };
            let threads = if on_processor { all } else { 1 };
            found.extend(precisions.iter().map(|&precision| Self { provider: provider.clone(), precision, threads }));
        }
        found
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Plugin { name, device } => {
                f.write_str(&name.trim_end_matches("ExecutionProvider").to_lowercase())?;
                f.write_str(match device {
                    Device::Cpu => "",
                    Device::Gpu => "-gpu",
                    Device::Npu => "-npu",
                })
            }
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Bf16 => "bf16",
            Self::Own => "own",
        })
    }
}

impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, precision, threads } = self;
        write!(f, "{provider} {precision}, {threads} threads")
    }
}

/// Whether the processor multiplies brain floats; only then they are faster.
fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

fn kind(device: DeviceType) -> Device {
    match device {
        DeviceType::CPU => Device::Cpu,
        DeviceType::GPU => Device::Gpu,
        DeviceType::NPU | DeviceType::FPGA => Device::Npu,
    }
}

/// What plug-ins offer on this machine.
fn plugins(runtime: &Runtime) -> Vec<Provider> {
    let mut found = Vec::new();
    for device in runtime.environment().devices() {
        let Ok(name) = device.ep() else { continue };
        let device = kind(device.hardware_device().ty());
        // Names with a dot are virtual devices that choose among the others.
        if name != CPU && !name.contains('.') {
            let provider = Provider::Plugin { name: name.to_owned(), device };
            if !found.contains(&provider) {
                found.push(provider);
            }
        }
    }
    found
}

/// A folder in which no file can be. ONNX files may keep weights in other files, which are looked up beside the
/// process when the model comes from memory; a package's weights are in the one file whose hash is checked.
const NO_FOLDER: &str = "/dev/null";

pub(crate) fn session(runtime: &Runtime, model: &[u8], execution: &Execution) -> ort::Result<Session> {
    let builder = Session::builder(runtime.environment())?;
    // The device is named even when it is the processor: otherwise `ort` lets the library choose, a plug-in may take
    // over in lower precision, and health would report what does not run.
    let builder = match &execution.provider {
        Provider::Cpu => on(runtime, builder, CPU, Device::Cpu, execution)?,
        Provider::Plugin { name, device } => on(runtime, builder, name, *device, execution)?,
    };
    builder
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_memory_pattern(true)?
        .with_intra_threads(execution.threads)?
        .with_inter_threads(1)?
        // Spinning threads would take the time of the decoders.
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)?
        .with_log_level(LogLevel::Error)?
        .commit_from_memory(model)
}

fn on(
    runtime: &Runtime,
    builder: SessionBuilder,
    name: &str,
    device: Device,
    execution: &Execution,
) -> ort::Result<SessionBuilder> {
    let environment = runtime.environment();
    let wanted = |found: &ort::device::Device<'_>| {
        found.ep().is_ok_and(|ep| ep == name) && kind(found.hardware_device().ty()) == device
    };
    let device =
        environment.devices().find(wanted).ok_or_else(|| ort::Error::new(format!("there is no {name} here")))?;
    let mut options = Vec::new();
    if name == OPENVINO && execution.precision != Precision::Own {
        // OpenVINO's own names (properties of its CPU plug-in), as JSON per device.
        let precision = if execution.precision == Precision::Bf16 { "bf16" } else { "f32" };
        let threads = match execution.threads {
            0 => String::new(),
            threads => format!(", \"INFERENCE_NUM_THREADS\": \"{threads}\""),
        };
        let config = format!("{{\"CPU\": {{\"INFERENCE_PRECISION_HINT\": \"{precision}\"{threads}}}}}");
        options.push((format!("{name}.load_config"), config));
    }
    Ok(builder.with_devices([device], Some(&options))?)
}
