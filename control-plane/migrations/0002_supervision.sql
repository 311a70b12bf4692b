-- What supervisors need of events: numbers, groups, assignees, terms, notes, appeals; and what reports count.

-- number of the report 上报编号, counted up without a gap per installation
alter table events add column seq bigint;
-- day of the decision in China Standard Time, days since 1970-01-01
alter table events add column day bigint not null default 0;
-- the model that raised it, in columns of its own for reports
alter table events add column model_name text not null default '';
alter table events add column model_version text not null default '';
-- events of one subject at one place share the id of the first of them
alter table events add column group_id text;
-- where the subject stood: foot point and height of its box, 0 to 1
alter table events add column track bigint;
alter table events add column place_x double precision;
alter table events add column place_y double precision;
alter table events add column place_h double precision;
alter table events add column assignee_id text;
alter table events add column assignee_name text;
-- until when the next step is due; null at the ends of the closed loop
alter table events add column due_at bigint;
-- when the next reminder is due, and how many there were
alter table events add column escalate_at bigint;
alter table events add column overdue_level bigint not null default 0;
-- when somebody first took a step, and when it was closed
alter table events add column responded_at bigint;
alter table events add column closed_at bigint;
alter table events add column false_reason text;
alter table events add column duplicate_of text;
-- open, accepted or rejected
alter table events add column appeal text;
alter table events add column appealed_by text;
alter table events add column notes bigint not null default 0;
-- what free text is looked for in, lower case
alter table events add column search text not null default '';

update events set
    day = (decided_at + 28800000000) / 86400000000,
    group_id = id,
    search = lower(camera_name || ' ' || coalesce(task_name, '') || ' ' || coalesce(zone, '')),
    false_reason = case when state = 'false_alarm' then
        (select s.reason from event_steps s where s.event_id = events.id and s.action = 'false_alarm'
         order by s.step desc limit 1) end,
    responded_at = case when state <> 'pending' then
        (select min(s.at) from event_steps s where s.event_id = events.id) end,
    closed_at = case when state = 'closed' then
        (select max(s.at) from event_steps s where s.event_id = events.id) end;
update events set seq = n.place
    from (select id, row_number() over (order by received_at, id) as place from events) n where n.id = events.id;
insert into counters (name, value) select 'events', count(*) from events;

create unique index events_by_seq on events (seq);
create index events_by_group on events (group_id, decided_at);
create index events_by_site on events (site_id, decided_at, id);
create index events_by_assignee on events (assignee_id, decided_at, id);
create index events_by_escalation on events (escalate_at);
create index events_by_due on events (due_at);

-- what people and the clock noted about an event, in order
create table event_notes (
    id text not null primary key,
    event_id text not null references events (id),
    -- 1, 2, 3 … within the event
    place bigint not null,
    at bigint not null,
    -- empty for the clock
    user_id text not null,
    username text not null,
    kind text not null,
    note text not null
);
create unique index event_notes_of_event on event_notes (event_id, place);

create table event_note_pictures (
    note_id text not null references event_notes (id),
    position bigint not null,
    hash text not null,
    primary key (note_id, position)
);

-- how many events of a day stand where; moved in the transaction that moves the event
create table event_days (
    day bigint not null,
    site_id text not null,
    camera_id text not null,
    algorithm text not null,
    severity text not null,
    model_name text not null,
    model_version text not null,
    -- state, with the reason after a colon for false alarms
    outcome text not null,
    events bigint not null,
    primary key (day, site_id, camera_id, algorithm, severity, model_name, model_version, outcome)
);
insert into event_days (day, site_id, camera_id, algorithm, severity, model_name, model_version, outcome, events)
    select day, site_id, camera_id, algorithm, severity, model_name, model_version,
        case when state = 'false_alarm' then 'false_alarm:' || coalesce(false_reason, 'other') else state end, count(*)
    from events group by 1, 2, 3, 4, 5, 6, 7, 8;

-- how long events of a day took, as a histogram with buckets that grow by an eighth of a doubling
create table handling_days (
    day bigint not null,
    site_id text not null,
    algorithm text not null,
    -- respond: until the first step; close: until it was closed
    kind text not null,
    bucket bigint not null,
    events bigint not null,
    primary key (day, site_id, algorithm, kind, bucket)
);

-- how often a camera was looked at, and how often it was online then
create table camera_days (
    day bigint not null,
    camera_id text not null,
    site_id text not null,
    samples bigint not null,
    online bigint not null,
    primary key (day, camera_id)
);

-- sightings of people per camera and local hour, as edges count them
create table hourly_counts (
    camera_id text not null,
    day bigint not null,
    hour bigint not null,
    persons bigint not null,
    primary key (camera_id, day, hour)
);
