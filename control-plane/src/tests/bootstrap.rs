//! The first start.

use protocol::{CameraId, CameraSpec, TaskId};

use super::harness::{Plane, camera_spec};
use crate::bootstrap::{Bootstrap, bootstrap, configured, ensure_camera, ensure_task, renew_edge_secret};

pub(super) async fn is_done_once(plane: Plane) {
    let again = bootstrap(plane.db(), &plane.clock, &Bootstrap::default()).await.unwrap();
    assert_eq!((again.site, again.edge), (plane.site, plane.edge));
    assert!(again.admin_password.is_none() && again.edge_secret.is_none());

    let secret = plane.edge_secret.expose();
    assert!(crate::edges::authenticate(plane.db(), plane.edge, secret).await);
    assert!(!crate::edges::authenticate(plane.db(), plane.edge, "wrong").await);
    assert!(!crate::edges::authenticate(plane.db(), protocol::EdgeId::new(plane.now()), secret).await);
    let renewed = renew_edge_secret(plane.db(), plane.edge).await.unwrap().unwrap();
    assert!(!crate::edges::authenticate(plane.db(), plane.edge, secret).await);
    assert!(crate::edges::authenticate(plane.db(), plane.edge, renewed.expose()).await);
}

pub(super) async fn demo_cameras_follow_their_port_and_stay_removed(plane: Plane) {
    let admin = plane.user(server_kit::Role::Admin).await;
    let spec = camera_spec("演示", "rtsp://127.0.0.1:8554/demo");
    let ensure = async |spec: &CameraSpec| ensure_camera(plane.db(), &plane.clock, plane.edge, spec).await.unwrap();
    ensure(&spec).await;
    let generation = plane.generation().await;
    ensure(&spec).await;
    assert_eq!(plane.generation().await, generation, "nothing changed, so nothing is published");

    let moved = CameraSpec { url: "rtsp://127.0.0.1:9999/demo".into(), name: "other".into(), ..spec.clone() };
    ensure(&moved).await;
    let shown = admin.get(&format!("/api/v1/cameras/{}", spec.id)).await;
    assert_eq!((&shown["url"], &shown["name"]), (&moved.url.clone().into(), &"演示".into()));
    assert_eq!(plane.generation().await, generation + 1);

    assert_eq!(admin.delete(&format!("/api/v1/cameras/{}", spec.id)).await, 204);
    ensure(&spec).await;
    let task = protocol::TaskSpec { id: TaskId::new(plane.now()), ..super::harness::task_spec(spec.id) };
    ensure_task(plane.db(), &plane.clock, &task).await.unwrap();
    let expect: (Vec<CameraId>, Vec<TaskId>) = (vec![plane.camera], vec![plane.task]);
    assert_eq!(configured(plane.db(), plane.edge).await.unwrap(), expect);

    assert_eq!(admin.delete(&format!("/api/v1/tasks/{}", plane.task)).await, 204);
    let same = protocol::TaskSpec { id: plane.task, ..super::harness::task_spec(plane.camera) };
    ensure_task(plane.db(), &plane.clock, &same).await.unwrap();
    assert_eq!(configured(plane.db(), plane.edge).await.unwrap().1, []);
}
