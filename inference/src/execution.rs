//! How a network is run: on what, and with how many threads.

use ort::{
    ep,
    logging::LogLevel,
    session::{Session, builder::GraphOptimizationLevel},
};

use crate::Runtime;

/// How a network is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Threads that share one run; 0 lets ONNX Runtime take every core.
    pub threads: usize,
}

/// A folder in which no file can be. ONNX files may keep weights in other files, which are looked up beside the
/// process when the model comes from memory; a package's weights are in the one file whose hash is checked.
const NO_FOLDER: &str = "/dev/null";

pub(crate) fn session(runtime: &Runtime, model: &[u8], execution: &Execution) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        // Named on purpose: without it the library may choose an accelerator, and health would report a wrong one.
        .with_execution_providers([ep::CPU::default().with_arena_allocator(true).build().error_on_failure()])?
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
