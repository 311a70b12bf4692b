-- How edges come in, and how they were.

-- one-time tokens by which an edge joins
create table edge_tokens (
    id text not null primary key,
    -- SHA-256 of 256 random bits; the token itself is shown once
    token_hash text not null unique,
    site_id text not null references sites (id),
    edge_name text not null,
    created_by text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    -- the edge that it made
    edge_id text references edges (id),
    revoked_at bigint
);
create index edge_tokens_newest on edge_tokens (created_at, id);

-- health of an edge, one row per five minutes: the newest report of each
create table edge_health (
    edge_id text not null references edges (id),
    -- when the five minutes begin
    slot bigint not null,
    memory_bytes bigint not null,
    disk_free_bytes bigint not null,
    outbox_events bigint not null,
    outbox_evidence_bytes bigint not null,
    dropped_evidence bigint not null,
    inference_fps double precision not null,
    inference_latency_ms double precision not null,
    warnings bigint not null,
    primary key (edge_id, slot)
);
