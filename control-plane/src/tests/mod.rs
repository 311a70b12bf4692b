//! The control plane through its real router, on a real database.
//!
//! Each behaviour is a function of a [`Plane`]; the list below runs every one on SQLite and on PostgreSQL.

mod bootstrap;
mod cameras;
mod edges;
mod events;
mod evidence;
mod handling;
mod harness;
mod ingest;
mod load;
mod permissions;
mod postgres;
mod references;
mod reports;
mod session;
mod stream;
mod tasks;
mod users;
mod web;

use harness::Plane;

macro_rules! behaviours {
    ($($module:ident::$name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$module::$name(super::Plane::on_sqlite().await).await;
            })+
        }

        mod on_postgres {
            /// One server for all: starting it is the slow part.
            #[tokio::test]
            async fn every_behaviour() {
                let Some(server) = super::postgres::Server::start().await else {
                    eprintln!("PostgreSQL is not installed: its behaviours are not tested");
                    return;
                };
                $(
                    eprintln!("{}", stringify!($name));
                    let url = server.database(stringify!($name)).await;
                    super::$module::$name(super::Plane::on(&url).await).await;
                )+
            }
        }
    };
}

behaviours![
    bootstrap::is_done_once,
    bootstrap::demo_cameras_follow_their_port_and_stay_removed,
    session::signing_in_and_out,
    session::five_failures_lock_the_door,
    session::a_new_password_ends_other_sessions,
    session::sessions_expire,
    permissions::every_endpoint_for_every_role,
    cameras::cameras_come_change_and_go,
    cameras::keep_their_password_to_themselves,
    cameras::bad_ones_get_a_reason_in_two_languages,
    cameras::are_paged_by_name,
    tasks::tasks_come_change_and_go,
    tasks::show_what_the_edge_says,
    references::are_approved_kept_and_reach_their_edge,
    references::a_false_alarm_mutes_its_place,
    edges::join_by_a_token_once,
    edges::change_their_secrets,
    edges::show_their_health_and_differences,
    edges::quarantined_messages_are_tried_again,
    events::pages_stay_stable_while_events_come_in,
    events::filters_narrow_the_list,
    events::go_through_their_closed_loop,
    events::of_two_people_one_wins,
    events::an_undo_takes_back_ones_own_last_step,
    events::are_counted,
    handling::lists_are_searched,
    handling::events_of_one_subject_are_one_group,
    handling::are_dispatched_straight_away,
    handling::bulk_actions_say_what_became_of_each,
    handling::comments_carry_pictures,
    handling::somebody_else_decides_an_appeal,
    handling::what_is_overdue_is_reminded_of,
    handling::lists_are_exported,
    reports::precision_follows_what_people_say,
    reports::statistics_add_up,
    reports::a_camera_that_sees_nobody_for_a_week_is_named,
    evidence::is_uploaded_in_pieces_and_shown,
    evidence::with_a_wrong_hash_is_thrown_away,
    evidence::never_leaves_its_folder,
    stream::tells_what_is_committed,
    stream::resumes_from_a_cursor,
    stream::ends_with_its_session,
    ingest::takes_each_revision_once_in_any_order,
    ingest::quarantines_what_it_cannot_take,
    ingest::refuses_events_of_another_edges_camera,
    ingest::keeps_events_of_removed_cameras,
    ingest::one_bad_message_does_not_hold_up_the_others,
    ingest::health_and_reports_become_news_only_when_they_are,
    users::administrators_manage_users,
    web::every_answer_has_its_headers,
    web::bodies_are_limited,
];
