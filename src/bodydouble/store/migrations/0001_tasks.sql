-- Accounts, their keys, tasks, and the ledger that every credit goes through.

create table account (
    id          bigint generated always as identity primary key,
    name        text not null unique,
    balance     numeric(18, 4) not null default 0 check (balance >= 0),  -- neither spent nor reserved
    created_at  timestamptz not null default now()
);

create table api_key (
    key_hash    bytea primary key,  -- SHA-256; the key itself is nowhere
    account_id  bigint not null references account,
    prefix      text not null,
    disabled    boolean not null default false,
    created_at  timestamptz not null default now()
);

create table task (
    id                uuid primary key,
    account_id        bigint not null references account,
    model             text not null,
    param             jsonb not null,
    inputs            jsonb not null,
    status            text not null default 'pending' check (status in ('pending', 'running', 'success', 'failed')),
    source            text not null,
    credits           numeric(18, 4) not null check (credits >= 0),
    fraction          double precision not null default 0,
    stage             text not null default 'queued',
    segment           int,
    segments          int,
    result            jsonb,
    cancel_requested  boolean not null default false,
    callback_url      text,
    attempts          int not null default 0,
    created_at        timestamptz not null default now(),
    started_at        timestamptz,
    completed_at      timestamptz
);

create index task_by_account on task (account_id, created_at desc);
create index task_waiting on task (created_at) where status = 'pending';

-- What moved an account's balance; the balance is the sum of the amounts.
create table ledger (
    id          bigint generated always as identity primary key,
    account_id  bigint not null references account,
    task_id     uuid references task,
    kind        text not null check (kind in ('grant', 'reserve', 'release', 'charge')),
    amount      numeric(18, 4) not null,  -- negative when a reservation takes, 0 when a reserved price is charged
    memo        text not null default '',
    created_at  timestamptz not null default now()
);

create index ledger_by_account on ledger (account_id, id);
