//! What people do with events beside the steps of the closed loop: assignments, comments with pictures,
//! appeals 申诉, bulk actions, reminders.

pub(crate) mod actions;
pub(crate) mod appeals;
pub(crate) mod bulk;
pub(crate) mod overdue;
pub(crate) mod pictures;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
