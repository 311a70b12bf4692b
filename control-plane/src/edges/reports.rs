//! What is news in a report of an edge: pure comparisons, so that a console is woken for a camera that went
//! dark, not for every frame rate.

use std::{collections::HashMap, time::Duration};

use protocol::{CameraId, EdgeHealth, EdgeId, ReportedState, StreamState, Subject, TaskId, Timestamp};

use crate::stream::ChangeKind;

/// An edge that has said nothing for so long is not online, whatever it said last.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(90);

/// Whether an edge is there.
pub(crate) fn is_online(said_so: bool, last_seen: Option<Timestamp>, now: Timestamp) -> bool {
    said_so && last_seen.is_some_and(|seen| now.since(seen) < SILENT_AFTER)
}

/// Whether `new` tells people something.
pub(crate) fn health_is_news(old: Option<&EdgeHealth>, was_online: bool, new: &EdgeHealth) -> bool {
    let Some(old) = old else { return true };
    was_online != new.online
        || (new.online
            && (old.warnings != new.warnings
                || old.version != new.version
                || old.inference.model != new.inference.model
                || old.inference.provider != new.inference.provider))
}

/// What changed between two reports.
pub(crate) fn report_news(edge: EdgeId, old: Option<&ReportedState>, new: &ReportedState) -> Vec<(ChangeKind, String)> {
    let nothing = ReportedState::default();
    let old = old.unwrap_or(&nothing);
    let mut news = Vec::new();
    if old.generation != new.generation || old.refusals != new.refusals {
        news.push((ChangeKind::Edge, edge.to_string()));
    }
    let (before, after) = (cameras(old), cameras(new));
    let mut changed: Vec<CameraId> =
        before.keys().chain(after.keys()).copied().filter(|id| before.get(id) != after.get(id)).collect();
    changed.sort_unstable();
    changed.dedup();
    news.extend(changed.into_iter().map(|id| (ChangeKind::Camera, id.to_string())));
    let mut tasks: Vec<TaskId> = difference(&old.running_tasks, &new.running_tasks);
    tasks.extend(difference(&refused(old), &refused(new)));
    tasks.sort_unstable();
    tasks.dedup();
    news.extend(tasks.into_iter().map(|id| (ChangeKind::Task, id.to_string())));
    news
}

fn cameras(report: &ReportedState) -> HashMap<CameraId, (StreamState, &str, u32, u32)> {
    report.cameras.iter().map(|c| (c.camera, (c.state, c.detail.as_str(), c.width, c.height))).collect()
}

fn refused(report: &ReportedState) -> Vec<TaskId> {
    let task = |subject| match subject {
        Subject::Task(id) => Some(id),
        Subject::Camera(_) => None,
    };
    report.refusals.iter().filter_map(|r| task(r.subject)).collect()
}

fn difference(a: &[TaskId], b: &[TaskId]) -> Vec<TaskId> {
    let only = |x: &[TaskId], y: &[TaskId]| x.iter().filter(|id| !y.contains(id)).copied().collect::<Vec<_>>();
    let mut all = only(a, b);
    all.extend(only(b, a));
    all
}

#[cfg(test)]
mod tests {
    use protocol::CameraState;

    use super::*;

    #[test]
    fn a_frame_rate_is_no_news_but_a_dark_camera_is() {
        let now = Timestamp::from_secs(1);
        let (edge, camera, task) = (EdgeId::new(now), CameraId::new(now), TaskId::new(now));
        let state = CameraState {
            camera,
            state: StreamState::Online,
            detail: String::new(),
            since: now,
            fps: 25.0,
            kbps: 900.0,
            analysed_fps: 5.0,
            reconnects: 0,
            lost_packets: 0,
            width: 1280,
            height: 720,
            codec: "h264".into(),
        };
        let old = ReportedState {
            generation: 3,
            cameras: vec![state.clone()],
            running_tasks: vec![task],
            ..Default::default()
        };
        let faster = CameraState { fps: 24.0, ..state.clone() };
        let new = ReportedState { cameras: vec![faster], at: now, ..old.clone() };
        assert_eq!(report_news(edge, Some(&old), &new), vec![]);
        let dark = CameraState { state: StreamState::NoFrames, ..state };
        let new = ReportedState { cameras: vec![dark], running_tasks: vec![], ..old.clone() };
        let expect = vec![(ChangeKind::Camera, camera.to_string()), (ChangeKind::Task, task.to_string())];
        assert_eq!(report_news(edge, Some(&old), &new), expect);
        assert_eq!(report_news(edge, None, &old).len(), 3);
    }

    #[test]
    fn a_silent_edge_is_not_online() {
        let seen = Timestamp::from_secs(100);
        assert!(is_online(true, Some(seen), seen + Duration::from_secs(89)));
        assert!(!is_online(true, Some(seen), seen + SILENT_AFTER));
        assert!(!is_online(false, Some(seen), seen));
        assert!(!is_online(true, None, seen));
    }
}
