//! From what a list is asked for to what the store looks for.

use std::{fmt::Display, str::FromStr, time::Duration};

use protocol::{CameraId, Timestamp};
use serde::de::{DeserializeOwned, IntoDeserializer as _, value::Error};
use server_kit::{ApiError, Principal};

use super::{
    lifecycle::State,
    number,
    store::{Assignee, EventQuery},
    types::EventParams,
};
use crate::api;

/// How far a search for words looks back: it reads every event of that time.
const WORDS_REACH_BACK: Duration = Duration::from_hours(90 * 24);

/// Longest text that is searched for, characters.
const MAX_TEXT: usize = 100;

/// Most members of one list.
const MAX_LIST: usize = 100;

/// What the parameters ask for, without a page.
pub(crate) fn query(params: &EventParams, principal: &Principal, now: Timestamp) -> Result<EventQuery, ApiError> {
    let mut states: Vec<State> = list("states", params.states.as_deref())?;
    states.extend(params.state);
    let mut algorithms: Vec<api::Algorithm> = list("algorithms", params.algorithms.as_deref())?;
    algorithms.extend(params.algorithm);
    let mut severities: Vec<api::Severity> = list("severities", params.severities.as_deref())?;
    severities.extend(params.severity);
    let mut cameras: Vec<CameraId> = parsed("camera_ids", params.camera_ids.as_deref())?;
    cameras.extend(params.camera_id);
    let (words, seq) = words(params.q.as_deref())?;
    let mut from = params.from;
    if !words.is_empty() {
        let until = params.to.map_or(now, Timestamp::from_micros);
        let earliest = (until - WORDS_REACH_BACK).as_micros();
        from = Some(from.unwrap_or(earliest).max(earliest));
    }
    Ok(EventQuery {
        states,
        algorithms: algorithms.into_iter().map(Into::into).collect(),
        cameras,
        severities: severities.into_iter().map(Into::into).collect(),
        site: params.site_id,
        from,
        to: params.to,
        words,
        seq,
        assignee: params.assignee.as_deref().map(|a| assignee(a, principal)).transpose()?,
        overdue: params.overdue.map(|overdue| (overdue, now)),
        appeal: params.appeal,
        group: params.group_id,
        first_of_group: params.grouped.unwrap_or_default(),
        after: None,
        limit: 0,
    })
}

fn parts<'a>(field: &str, text: Option<&'a str>) -> Result<Vec<&'a str>, ApiError> {
    let parts: Vec<_> = text.unwrap_or("").split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
    if parts.len() > MAX_LIST {
        return Err(ApiError::invalid(
            field,
            format!("{field} has at most {MAX_LIST} members"),
            format!("{field} 最多 {MAX_LIST} 项"),
        ));
    }
    Ok(parts)
}

fn bad(field: &str, part: &str, reason: &dyn Display) -> ApiError {
    ApiError::invalid(field, format!("{part:?} cannot be used: {reason}"), format!("“{part}”不是有效的取值"))
}

/// Members by their names in the API.
fn list<T: DeserializeOwned>(field: &str, text: Option<&str>) -> Result<Vec<T>, ApiError> {
    let one = |part: &str| {
        let member: Result<T, Error> = T::deserialize(part.into_deserializer());
        member.map_err(|e| bad(field, part, &e))
    };
    parts(field, text)?.into_iter().map(one).collect()
}

fn parsed<T: FromStr<Err: Display>>(field: &str, text: Option<&str>) -> Result<Vec<T>, ApiError> {
    parts(field, text)?.into_iter().map(|part| part.parse().map_err(|e: T::Err| bad(field, part, &e))).collect()
}

fn words(text: Option<&str>) -> Result<(Vec<String>, Option<i64>), ApiError> {
    let text = text.unwrap_or("").trim();
    if text.chars().count() > MAX_TEXT || text.contains('\0') {
        return Err(ApiError::invalid(
            "q",
            format!("search for at most {MAX_TEXT} characters"),
            format!("搜索内容最多 {MAX_TEXT} 个字符"),
        ));
    }
    if let Some(seq) = number::read(text) {
        return Ok((Vec::new(), Some(seq)));
    }
    Ok((text.split_whitespace().map(str::to_lowercase).collect(), None))
}

fn assignee(text: &str, principal: &Principal) -> Result<Assignee, ApiError> {
    match text {
        "me" => Ok(Assignee::User(principal.user)),
        "nobody" => Ok(Assignee::Nobody),
        id => id.parse().map(Assignee::User).map_err(|e| bad("assignee", id, &e)),
    }
}
