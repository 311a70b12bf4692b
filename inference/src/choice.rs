//! Which way of running a network is the fastest on this machine: measured, not guessed.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{Execution, Loaded, ModelRefused, Runtime, execution::Precision, package::Package};

/// Runs of each candidate before the clock counts: the first ones allocate.
const WARM_UP: usize = 2;
/// Runs of each candidate that count.
const RUNS: usize = 15;
/// Time after which a candidate has had enough runs, however few.
const LIMIT: Duration = Duration::from_millis(1500);
/// Less than this share of time saved is not worth lower precision.
const WORTH_IT: f32 = 0.9;

/// How one candidate did.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The candidate.
    pub execution: Execution,
    /// Median time of one frame through the network, or why it is out of the question.
    pub outcome: Result<Duration, String>,
}

/// Measures `executions` with the package in the folder `dir`, in turns, so that a busy machine slows all alike. A
/// candidate whose results the golden picture does not confirm is out of the question.
///
/// # Errors
/// When the package cannot be read.
pub fn measure(runtime: &Runtime, dir: &Path, executions: &[Execution]) -> Result<Vec<Measured>, ModelRefused> {
    let package = Package::read(dir)?;
    let mut candidates: Vec<_> = executions
        .iter()
        .map(|execution| {
            let loaded = Loaded::from_package(runtime, package.clone(), execution).map_err(|e| e.to_string());
            (loaded, Vec::new(), Duration::ZERO)
        })
        .collect();
    for run in 0..WARM_UP + RUNS {
        for (candidate, times, spent) in &mut candidates {
            let Ok(model) = candidate else { continue };
            if *spent >= LIMIT {
                continue;
            }
            let started = Instant::now();
            if let Err(reason) = model.run_network() {
                *candidate = Err(reason.to_string());
                continue;
            }
            *spent += started.elapsed();
            if run >= WARM_UP || *spent >= LIMIT {
                times.push(started.elapsed());
            }
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or(Duration::MAX)
    };
    let results = executions.iter().zip(candidates);
    Ok(results
        .map(|(execution, (candidate, times, _))| Measured {
            execution: execution.clone(),
            outcome: candidate.map(|_| median(times)),
        })
        .collect())
}

/// The fastest of the measured candidates; full precision unless giving it up saves a tenth of the time.
pub fn best(measured: &[Measured]) -> Option<&Execution> {
    let fastest = |full: bool| {
        measured
            .iter()
            .filter(|m| (m.execution.precision == Precision::Fp32) == full)
            .filter_map(|m| Some((m.outcome.as_ref().ok()?, &m.execution)))
            .min_by_key(|(time, _)| **time)
    };
    match (fastest(true), fastest(false)) {
        (Some((full, _)), Some((other, execution))) if other.as_secs_f32() < full.as_secs_f32() * WORTH_IT => {
            Some(execution)
        }
        (Some((_, execution)), _) | (None, Some((_, execution))) => Some(execution),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Device, Provider};

    #[test]
    fn lower_precision_must_be_worth_it() {
        let plugin = Provider::Plugin { name: "OpenVINOExecutionProvider".into(), device: Device::Cpu };
        let bf16 = Execution { provider: plugin, precision: Precision::Bf16, threads: 2 };
        let check = |times: [Option<u64>; 3], expect: Option<&Execution>| {
            let executions = [Execution::cpu(1), Execution::cpu(2), bf16.clone()];
            let outcome = |time: Option<u64>| time.map(Duration::from_millis).ok_or_else(|| "refused".to_owned());
            let measured: Vec<_> = executions
                .into_iter()
                .zip(times)
                .map(|(execution, time)| Measured { execution, outcome: outcome(time) })
                .collect();
            assert_eq!(best(&measured), expect, "{times:?}");
        };
        check([Some(20), Some(12), Some(8)], Some(&bf16));
        check([Some(20), Some(12), Some(11)], Some(&Execution::cpu(2)));
        check([Some(20), Some(24), None], Some(&Execution::cpu(1)));
        check([None, None, Some(30)], Some(&bf16));
        check([None, None, None], None);
        assert_eq!(bf16.to_string(), "openvino bf16, 2 threads");
    }
}
