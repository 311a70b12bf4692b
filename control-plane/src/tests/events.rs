//! Events through the API.

use std::{collections::HashSet, time::Duration};

use protocol::{Algorithm, EventId, Severity};
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Client, Plane, START, event, message};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

pub(super) async fn pages_stay_stable_while_events_come_in(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let mut expect = Vec::new();
    for n in 0..25 {
        // Several of one instant, so that ties are broken too.
        expect.push(plane.new_event(n / 3).await.to_string());
    }
    let (mut seen, mut cursor, mut n) = (Vec::new(), String::new(), 100);
    loop {
        let page = viewer.get(&format!("/api/v1/events?limit=4{cursor}")).await;
        seen.extend(ids(&page));
        plane.new_event(n).await;
        n += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 25, "nothing twice, nothing hidden");
    assert_eq!(seen.iter().collect::<HashSet<_>>(), expect.iter().collect());
    let newest = viewer.get("/api/v1/events?limit=200").await;
    let times: Vec<_> = newest["items"].as_array().unwrap().iter().map(|e| e["decided_at"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
}

pub(super) async fn filters_narrow_the_list(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let first = plane.new_event(0).await;
    let mut other = event(plane.camera, plane.task, START + Duration::from_mins(1));
    other.algorithm = Algorithm::Crowd;
    other.severity = Severity::Red;
    plane.take(&[message(plane.edge, other.clone())]).await;
    let at = other.decided_at.as_micros();
    let cases = [
        ("algorithm=crowd".to_owned(), vec![other.id]),
        ("severity=red&state=pending".into(), vec![other.id]),
        ("state=closed".into(), vec![]),
        (format!("camera_id={}", plane.camera), vec![other.id, first]),
        (format!("camera_id={}", plane.task), vec![]),
        (format!("from={at}"), vec![other.id]),
        (format!("to={at}"), vec![first]),
        (format!("from={at}&to={at}"), vec![]),
    ];
    for (filter, expect) in cases {
        let page = viewer.get(&format!("/api/v1/events?{filter}")).await;
        assert_eq!(ids(&page), expect.iter().map(EventId::to_string).collect::<Vec<_>>(), "{filter}");
    }
    for bad in ["state=closed'--", "algorithm=x", "limit=201", "camera_id=1", "from=x"] {
        let path = format!("/api/v1/events?{bad}");
        assert_eq!(viewer.json(axum::http::Method::GET, &path, Value::Null).await.0, 400, "{bad}");
    }
}

async fn act(client: &Client, id: EventId, action: &str, version: i64) -> (u16, Value) {
    let mut body = json!({"action": action, "version": version, "remark": " 已核实 "});
    if action == "false_alarm" {
        body["reason"] = "reflection".into();
    }
    let (status, answer) = client.post(&format!("/api/v1/events/{id}/actions"), body).await;
    (status.as_u16(), answer)
}

pub(super) async fn go_through_their_closed_loop(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let id = plane.new_event(0).await;
    let steps = [
        ("confirm", "confirmed"),
        ("dispatch", "dispatched"),
        ("start", "in_progress"),
        ("submit", "in_review"),
        ("reject", "in_progress"),
        ("submit", "in_review"),
        ("close", "closed"),
    ];
    for (version, (action, state)) in (1..).zip(steps) {
        let (status, detail) = act(&supervisor, id, action, version).await;
        assert_eq!((status, detail["state"].as_str()), (200, Some(state)), "{action}: {detail}");
        assert_eq!(detail["version"], version + 1);
    }
    let detail = supervisor.get(&format!("/api/v1/events/{id}")).await;
    let history = detail["history"].as_array().unwrap();
    assert_eq!(
        (history.len(), &history[6]["from_state"], &history[6]["remark"]),
        (7, &json!("in_review"), &json!("已核实"))
    );
    assert_eq!(detail["actions"], json!(["undo"]));
    assert_eq!(
        (&detail["task_name"], &detail["why"]["votes_for"], &detail["boxes"][0]["track"]),
        (&json!("南门安全帽"), &json!(4), &json!(7))
    );
    let viewer = plane.user(Role::Viewer).await;
    assert_eq!(viewer.get(&format!("/api/v1/events/{id}")).await["actions"], json!([]));

    let id = plane.new_event(1).await;
    let (status, answer) = act(&supervisor, id, "close", 1).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("not_possible")));
    let body = json!({"action": "false_alarm", "version": 1});
    let (status, answer) = supervisor.post(&format!("/api/v1/events/{id}/actions"), body).await;
    assert_eq!((status.as_u16(), answer["field"].as_str()), (400, Some("reason")));
    let (_, detail) = act(&supervisor, id, "false_alarm", 1).await;
    assert_eq!((&detail["state"], &detail["history"][0]["reason"]), (&json!("false_alarm"), &json!("reflection")));
}

pub(super) async fn of_two_people_one_wins(plane: Plane) {
    let (a, b) = (plane.user(Role::Supervisor).await, plane.user(Role::Admin).await);
    for n in 0..5 {
        let id = plane.new_event(n).await;
        let (first, second) = tokio::join!(act(&a, id, "confirm", 1), act(&b, id, "ignore", 1));
        let mut statuses = [first.0, second.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{first:?} {second:?}");
        let detail = a.get(&format!("/api/v1/events/{id}")).await;
        assert_eq!((&detail["version"], detail["history"].as_array().unwrap().len()), (&json!(2), 1));
    }
}

pub(super) async fn an_undo_takes_back_ones_own_last_step(plane: Plane) {
    let (a, b) = (plane.user(Role::Supervisor).await, plane.user(Role::Supervisor).await);
    let id = plane.new_event(0).await;
    act(&a, id, "confirm", 1).await;
    assert_eq!(act(&b, id, "undo", 2).await.1["code"], "not_possible", "it was somebody else's step");
    let (_, detail) = act(&a, id, "undo", 2).await;
    assert_eq!((&detail["state"], &detail["version"]), (&json!("pending"), &json!(3)));
    assert_eq!(act(&a, id, "undo", 3).await.1["code"], "not_possible", "an undo is not undone");
    act(&a, id, "ignore", 3).await;
    plane.clock.advance(Duration::from_secs(601));
    assert_eq!(act(&a, id, "undo", 4).await.1["code"], "not_possible", "ten minutes have passed");
}

pub(super) async fn are_counted(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let id = plane.new_event(0).await;
    plane.new_event(1).await;
    let yesterday = event(plane.camera, plane.task, START - Duration::from_hours(1));
    plane.take(&[message(plane.edge, yesterday)]).await;
    act(&supervisor, id, "ignore", 1).await;
    let counters = supervisor.get("/api/v1/events/counters").await;
    assert_eq!((&counters["by_state"]["pending"], &counters["by_state"]["ignored"]), (&json!(2), &json!(1)));
    assert_eq!((&counters["by_algorithm"]["no_helmet"], &counters["by_algorithm"]["crowd"]), (&json!(3), &json!(0)));
    assert_eq!(counters["today"], 2, "the day began half an hour ago");
}
