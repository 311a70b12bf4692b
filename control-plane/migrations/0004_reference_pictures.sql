-- approved pictures 参考画面, every version; the newest of a task is in its spec too
create table reference_pictures (
    task_id text not null references tasks (id),
    version bigint not null,
    hash text not null,
    width bigint not null,
    height bigint not null,
    approved_by text not null,
    approved_at bigint not null,
    primary key (task_id, version)
);
create index reference_pictures_by_hash on reference_pictures (hash);
