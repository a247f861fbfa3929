-- Who is signed in at the console, and the links that sign somebody in once.

create table sign_in_link (
    token_hash  bytea primary key,  -- SHA-256; the token itself is shown once and kept nowhere
    account_id  bigint not null references account,
    role        text not null check (role in ('user', 'operator')),
    expires_at  timestamptz not null
);

create table session (
    token_hash  bytea primary key,
    account_id  bigint not null references account,
    role        text not null check (role in ('user', 'operator')),
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null
);

create index sign_in_link_expiry on sign_in_link (expires_at);
create index session_expiry on session (expires_at);
