-- users and their sessions
create table users (
    id text not null primary key,
    username text not null,
    -- lower case, so that Admin and admin are one
    username_key text not null unique,
    -- Argon2id, PHC form
    password_hash text not null,
    role text not null,
    must_change_password bigint not null,
    created_at bigint not null
);

create table sessions (
    -- SHA-256 of the token in the cookie
    token_hash text not null primary key,
    user_id text not null references users (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);
create index sessions_of_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);
