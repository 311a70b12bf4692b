-- Sites, edges, cameras, tasks, events. Ids are UUIDv7 as text, times microseconds since 1970 UTC, flags 0 or 1.

create table sites (
    id text not null primary key,
    name text not null,
    created_at bigint not null
);

create table edges (
    id text not null primary key,
    site_id text not null references sites (id),
    name text not null,
    -- SHA-256 of a random secret of 256 bits
    secret_hash text not null,
    -- generation of the desired state; counts up with each change of its cameras and tasks
    generation bigint not null,
    reported_generation bigint not null,
    -- protocol's ReportedState and EdgeHealth as JSON
    reported text,
    health text,
    online bigint not null,
    last_seen_at bigint,
    created_at bigint not null
);

create table cameras (
    id text not null primary key,
    edge_id text not null references edges (id),
    name text not null,
    url text not null,
    username text,
    password text,
    transport text not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- a removed camera stays: events that its edge still holds belong to it
    removed_at bigint
);
create index cameras_of_edge on cameras (edge_id);
create index cameras_by_name on cameras (name, id);

create table tasks (
    id text not null primary key,
    camera_id text not null references cameras (id),
    algorithm text not null,
    name text not null,
    enabled bigint not null,
    -- zones, schedule, params, severity as JSON
    spec text not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- a removed task stays: it gives its events their name, and is not made again as a default
    removed_at bigint
);
create index tasks_of_camera on tasks (camera_id, name, id);

create table events (
    id text not null primary key,
    edge_id text not null,
    site_id text not null,
    camera_id text not null,
    -- as it was called then
    camera_name text not null,
    task_id text not null,
    task_name text,
    algorithm text not null,
    severity text not null,
    -- where it is in its closed loop
    state text not null,
    phase text not null,
    zone text,
    started_at bigint not null,
    decided_at bigint not null,
    ended_at bigint,
    received_at bigint not null,
    score double precision not null,
    -- counts what the edge says
    revision bigint not null,
    -- counts what people do
    version bigint not null,
    snapshot_hash text,
    snapshot_width bigint,
    snapshot_height bigint,
    clip_hash text,
    clip_starts_at bigint,
    clip_duration_ms bigint,
    -- protocol's Event as JSON
    body text not null
);
create index events_newest on events (decided_at, id);
create index events_by_state on events (state, decided_at, id);
create index events_by_camera on events (camera_id, decided_at, id);
create index events_by_algorithm on events (algorithm, decided_at, id);
create index events_by_severity on events (severity, decided_at, id);

-- which event refers to which picture or clip
create table event_evidence (
    event_id text not null references events (id),
    hash text not null,
    media_type text not null,
    primary key (event_id, hash)
);
create index event_evidence_by_hash on event_evidence (hash);

-- pictures and clips that have arrived complete
create table evidence_files (
    hash text not null primary key,
    bytes bigint not null,
    edge_id text not null,
    stored_at bigint not null
);

-- what people did, in order; step is the version of the event after it
create table event_steps (
    event_id text not null references events (id),
    step bigint not null,
    at bigint not null,
    user_id text not null,
    username text not null,
    action text not null,
    from_state text not null,
    to_state text not null,
    reason text,
    remark text,
    primary key (event_id, step)
);

-- what changed, for streams that resume; seq is given out by the counter in the order of commits
create table changes (
    seq bigint not null primary key,
    kind text not null,
    id text not null,
    at bigint not null
);

create table counters (
    name text not null primary key,
    value bigint not null
);
insert into counters (name, value) values ('changes', 0);

-- messages that cannot be taken, with the reason; the same bytes are kept once and counted
create table quarantine (
    -- SHA-256 of topic and bytes
    hash text not null primary key,
    topic text not null,
    reason text not null,
    -- hexadecimal, cut at a limit; neither engine has a name for bytes that the other knows
    bytes_hex text not null,
    size bigint not null,
    times bigint not null,
    first_at bigint not null,
    last_at bigint not null
);
create index quarantine_newest on quarantine (last_at);
