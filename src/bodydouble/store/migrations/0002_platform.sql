-- Several keys an account, a ledger with two sides, limits, idempotent creates, callbacks, executors, expiry.

-- Credits. ---------------------------------------------------------------------------------------------------------
-- A row of the ledger moves an amount from one book to another; the kind says between which. So whatever happens,
-- the four books of an account together hold nothing: no row can make a credit or lose one.
create table transfer_kind (
    kind       text primary key,
    from_book  text not null,  -- issued: the operator gave; available: to spend; reserved: of tasks under way; earned
    to_book    text not null
);

insert into transfer_kind (kind, from_book, to_book) values
    ('grant', 'issued', 'available'),
    ('revoke', 'available', 'issued'),
    ('reserve', 'available', 'reserved'),
    ('release', 'reserved', 'available'),
    ('charge', 'reserved', 'earned');

alter table ledger rename to ledger_by_amount;

create table ledger (
    id          bigint generated always as identity primary key,
    account_id  bigint not null,
    task_id     uuid,  -- no reference: the ledger outlives the task
    kind        text not null check (kind in ('grant', 'revoke', 'reserve', 'release', 'charge')),
    amount      numeric(18, 4) not null check (amount >= 0),
    memo        text not null default '',
    created_at  timestamptz not null default now()
);

insert into ledger (account_id, task_id, kind, amount, memo, created_at)
select l.account_id, l.task_id,
    case when l.kind = 'reserve' and l.amount > 0 then 'release' else l.kind end,
    case when l.kind = 'charge' then t.credits else abs(l.amount) end,
    l.memo, l.created_at
from ledger_by_amount as l left join task as t on t.id = l.task_id
order by l.id;

drop table ledger_by_amount;
create index ledger_by_account on ledger (account_id, id desc);
create index ledger_by_task on ledger (task_id);

-- Both sides of every transfer.
create view posting as
select l.account_id, l.task_id, k.from_book as book, -l.amount as amount
from ledger as l join transfer_kind as k using (kind)
union all
select l.account_id, l.task_id, k.to_book, l.amount
from ledger as l join transfer_kind as k using (kind);

alter table account
    add column reserved numeric(18, 4) not null default 0 check (reserved >= 0),  -- of tasks that are not over
    add column active int not null default 0 check (active >= 0),  -- tasks that are not over
    -- When the account's bucket of creates would be full again, had it been drained: the virtual time of the generic
    -- cell rate algorithm (ITU-T I.371).
    add column creates_full_at timestamptz not null default '-infinity',
    add column turn int not null default 0,  -- the last turn in the queue that one of its tasks was given
    add column creates_per_minute int check (creates_per_minute > 0),  -- null: the installation's setting
    add column active_max int check (active_max > 0),  -- null: the installation's setting
    add column disabled boolean not null default false,
    add column webhook_generation int not null default 1,
    add column webhook_rotated_at timestamptz;

update account as a set
    reserved = coalesce((select sum(t.credits) from task as t
                         where t.account_id = a.id and t.status in ('pending', 'running')), 0),
    active = (select count(*) from task as t where t.account_id = a.id and t.status in ('pending', 'running'));

-- Keys. ------------------------------------------------------------------------------------------------------------
alter table api_key
    add column id bigint generated always as identity unique,
    add column name text not null default '',
    add column scope text not null default 'all' check (scope in ('all', 'read')),
    add column last_used_at timestamptz,
    add column expires_at timestamptz;

create index api_key_by_account on api_key (account_id, id);

-- Tasks. -----------------------------------------------------------------------------------------------------------
alter table task
    add column idempotency_key text,
    add column body_hash bytea,  -- SHA-256 of the request, where it came with an idempotency key
    add column turn int not null default 0,  -- lower goes first
    add column version int not null default 1,  -- counts every change that a reader can see
    add column executor text,  -- who works on it; nobody else can settle it
    add column deadline_at timestamptz not null default 'infinity',
    add column preview_key text,
    add column media_expires_at timestamptz,
    add column media_deleted_at timestamptz,
    add column traceparent text;  -- W3C trace context of the request that made it

drop index task_by_account;
create index task_by_account on task (account_id, id desc);  -- ids are UUIDv7: they sort by age
drop index task_waiting;
create index task_waiting on task (turn, created_at) where status = 'pending';
create index task_running on task (executor) where status = 'running';
create unique index task_idempotency on task (account_id, idempotency_key) where idempotency_key is not null;
create index task_to_expire on task (media_expires_at) where media_expires_at is not null and media_deleted_at is null;
create index task_over on task (completed_at) where completed_at is not null;
create index task_overdue on task (deadline_at) where status in ('pending', 'running') and deadline_at < 'infinity';

-- Which turn the queue has come to: a task of an account with nothing waiting gets the next one, so that nobody's
-- backlog is before it (start-time fair queueing).
create table dispatch (
    single  boolean primary key default true check (single),
    turn    int not null default 0
);
insert into dispatch default values;

-- How long each stage of a task took; the timeline that its owner sees.
create table task_stage (
    task_id     uuid not null references task on delete cascade,
    stage       text not null,
    started_at  timestamptz not null,
    seconds     double precision not null,
    primary key (task_id, stage)
);

-- Counts and sums for the metrics, kept where every process can add to them.
create table tally (
    name   text not null,
    label  text not null default '',
    count  bigint not null default 0,
    total  double precision not null default 0,
    primary key (name, label)
);

-- What an account used on a day, by model; outlives the tasks.
create table usage_day (
    account_id  bigint not null references account,
    day         date not null,
    model       text not null,
    succeeded   int not null default 0,
    failed      int not null default 0,
    credits     numeric(18, 4) not null default 0,
    primary key (account_id, day, model)
);

-- Callbacks. -------------------------------------------------------------------------------------------------------
create table delivery (
    id            uuid primary key default gen_random_uuid(),  -- the receiver sees it as webhook-id, at every try
    task_id       uuid not null references task on delete cascade,
    account_id    bigint not null references account,
    url           text not null,
    status        text not null default 'pending' check (status in ('pending', 'delivered', 'gone', 'exhausted')),
    tries         int not null default 0,
    next_try_at   timestamptz default now(),  -- also the end of the lease of whoever is trying right now
    created_at    timestamptz not null default now(),
    delivered_at  timestamptz
);

create index delivery_due on delivery (next_try_at) where status = 'pending';
create index delivery_by_task on delivery (task_id);

create table delivery_try (
    id            bigint generated always as identity primary key,
    delivery_id   uuid not null references delivery on delete cascade,
    at            timestamptz not null default now(),
    http_status   int,
    error         text,
    milliseconds  int not null
);

create index delivery_try_by_delivery on delivery_try (delivery_id, id);

-- Operation. -------------------------------------------------------------------------------------------------------
create table executor (
    id          text primary key,
    host        text not null,
    pid         int not null,
    version     text not null,
    started_at  timestamptz not null default now(),
    beat_at     timestamptz not null default now(),
    stopped_at  timestamptz
);

-- What an operator switched off, without a restart: 'maintenance', or a feature (a model, a renderer, 'uploads').
create table switched_off (
    name           text primary key,
    message        text not null default '',
    retry_seconds  int not null default 300,
    since          timestamptz not null default now()
);

-- Creating a task. -------------------------------------------------------------------------------------------------
create type creation as (
    outcome        text,  -- created, replayed, or why not
    account_id     bigint,
    task_id        uuid,
    available      numeric,
    rate_max       int,
    rate_left      int,
    reset_seconds  double precision,  -- until the bucket of creates is full again
    retry_seconds  double precision,
    memo           text
);

-- Databases whose first version had these functions in 0001. Today's are in store/functions.
drop function if exists create_task(uuid, bigint, text, jsonb, jsonb, text, numeric, text, text, text, text);
drop function if exists settle(uuid, text, jsonb);

-- What does not agree with the ledger: there must be no row.
create view ledger_difference as
with book as (
    select account_id, book, sum(amount) as amount from posting group by account_id, book
), task_book as (
    select task_id, sum(amount) filter (where book = 'reserved') as reserved,
        sum(amount) filter (where book = 'earned') as earned
    from posting where task_id is not null group by task_id
)
select a.id as account_id, null::uuid as task_id, 'available' as what, a.balance as stored,
    coalesce(b.amount, 0) as by_ledger
from account as a left join book as b on b.account_id = a.id and b.book = 'available'
where a.balance <> coalesce(b.amount, 0)
union all
select a.id, null, 'reserved', a.reserved, coalesce(b.amount, 0)
from account as a left join book as b on b.account_id = a.id and b.book = 'reserved'
where a.reserved <> coalesce(b.amount, 0)
union all
select a.id, null, 'active tasks', a.active, count(t.id)
from account as a left join task as t on t.account_id = a.id and t.status in ('pending', 'running')
group by a.id having a.active <> count(t.id)
union all
select t.account_id, t.id, 'reserved for the task',
    case when t.status in ('pending', 'running') then t.credits else 0 end, coalesce(b.reserved, 0)
from task as t left join task_book as b on b.task_id = t.id
where coalesce(b.reserved, 0) <> case when t.status in ('pending', 'running') then t.credits else 0 end
union all
select t.account_id, t.id, 'charged for the task',
    case when t.status = 'success' then t.credits else 0 end, coalesce(b.earned, 0)
from task as t left join task_book as b on b.task_id = t.id
where coalesce(b.earned, 0) <> case when t.status = 'success' then t.credits else 0 end;
