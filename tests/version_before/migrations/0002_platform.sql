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
drop function create_task(uuid, bigint, text, jsonb, jsonb, text, numeric, text, text, text, text);

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

-- Whose key, may it, is it the same request again, is there room and credit; then store the task, reserve its price
-- and hand it to the queue: one round trip, one transaction, all of it or nothing. What is refused without any doubt
-- is refused before anything is written; what a concurrent create decides, the last statement decides. That one
-- touches the account's row, which a busy account shares, and comes last so that it is locked for the shortest time.
create function create_task(
    p_key_hash bytea, p_account bigint, p_id uuid, p_model text, p_param jsonb, p_inputs jsonb, p_source text,
    p_credits numeric, p_callback_url text, p_idempotency_key text, p_body_hash bytea, p_features text[],
    p_deadline_seconds double precision, p_creates_per_minute int, p_active_max int, p_traceparent text,
    p_workflow text, p_queue text, p_version text
) returns creation language plpgsql as $$
declare
    a account;
    k api_key;
    c creation;
    off switched_off;
    rate int;
    room int;
    step interval;
    full_at timestamptz;
    now_at timestamptz;
    my_turn int;
    known task;
begin
    if p_key_hash is not null then
        select * into k from api_key where key_hash = p_key_hash;
        if not found then
            c.outcome := 'unauthenticated';
            return c;
        end if;
        c.outcome := case when k.disabled then 'disabled' when k.expires_at <= now() then 'expired'
                          when k.scope <> 'all' then 'read_only' end;
    end if;
    select * into a from account where id = coalesce(k.account_id, p_account);
    if c.outcome is null and a.disabled then
        c.outcome := 'disabled';
    end if;
    if c.outcome is not null then
        return c;
    end if;
    c.account_id := a.id;
    c.available := a.balance;
    rate := coalesce(a.creates_per_minute, p_creates_per_minute);
    room := coalesce(a.active_max, p_active_max);
    step := interval '1 minute' / rate;
    c.rate_max := rate;

    if p_idempotency_key is not null then
        select * into known from task where account_id = a.id and idempotency_key = p_idempotency_key;
        if found then
            c.outcome := case when known.body_hash = p_body_hash then 'replayed' else 'another_body' end;
            c.task_id := known.id;
            return c;
        end if;
    end if;

    select * into off from switched_off where name = 'maintenance' or name = any (p_features)
    order by name <> 'maintenance' limit 1;
    if found then
        c.outcome := case when off.name = 'maintenance' then 'maintenance' else 'feature_off' end;
        c.memo := coalesce(nullif(off.message, ''), off.name);
        c.retry_seconds := off.retry_seconds;
        return c;
    end if;

    now_at := clock_timestamp();
    full_at := greatest(a.creates_full_at, now_at) + step;
    if full_at > now_at + interval '1 minute' then
        c.outcome := 'rate';
        c.retry_seconds := extract(epoch from full_at - now_at) - 60;
        c.reset_seconds := extract(epoch from a.creates_full_at - now_at);
        c.rate_left := 0;
        return c;
    end if;
    if a.active >= room then
        c.outcome := 'active';
        c.memo := room::text;
        return c;
    end if;
    if a.balance < p_credits then
        c.outcome := 'credits';
        return c;
    end if;

    select greatest(a.turn, d.turn) + 1 into my_turn from dispatch as d;
    insert into task (id, account_id, model, param, inputs, source, credits, callback_url, idempotency_key, body_hash,
                      turn, deadline_at, traceparent)
    values (p_id, a.id, p_model, p_param, p_inputs, p_source, p_credits, p_callback_url, p_idempotency_key, p_body_hash,
            my_turn, now_at + make_interval(secs => p_deadline_seconds), p_traceparent)
    on conflict (account_id, idempotency_key) where idempotency_key is not null do nothing;
    if not found then  -- the same key at the same moment: the other one has committed by now
        select * into known from task where account_id = a.id and idempotency_key = p_idempotency_key;
        c.outcome := case when known.body_hash = p_body_hash then 'replayed' else 'another_body' end;
        c.task_id := known.id;
        return c;
    end if;
    insert into ledger (account_id, task_id, kind, amount) values (a.id, p_id, 'reserve', p_credits);
    perform dbos.enqueue_workflow(
        workflow_name => p_workflow, queue_name => p_queue, positional_args => array[to_json(p_id::text)],
        workflow_id => p_id::text, app_version => p_version, priority => my_turn
    );

    update account set
        balance = balance - p_credits,
        reserved = reserved + p_credits,
        active = active + 1,
        turn = greatest(turn, my_turn),
        creates_full_at = greatest(creates_full_at, clock_timestamp()) + step
    where id = a.id and balance >= p_credits and active < room
        and greatest(creates_full_at, clock_timestamp()) + step <= clock_timestamp() + interval '1 minute'
    returning balance, creates_full_at into c.available, full_at;
    if not found then
        -- Concurrent creates took what was left. Undo; the caller is told why by a second, quick look.
        raise exception 'taken meanwhile' using errcode = 'P0409';
    end if;
    c.outcome := 'created';
    c.task_id := p_id;
    c.reset_seconds := extract(epoch from full_at - clock_timestamp());
    c.rate_left := floor(rate * (1 - c.reset_seconds / 60));
    return c;
end $$;

-- A task's life. ---------------------------------------------------------------------------------------------------
drop function settle(uuid, text, jsonb);
drop function reserve_exactly(uuid, numeric);

-- An executor takes a task, the first time or from one that is gone. No row where the task is over.
create function start_task(p_id uuid, p_executor text) returns setof task language plpgsql as $$
declare
    t task;
begin
    update task set status = 'running', executor = p_executor, started_at = coalesce(started_at, now()),
        attempts = attempts + case when executor is distinct from p_executor then 1 else 0 end, version = version + 1
    where id = p_id and status in ('pending', 'running')
    returning * into t;
    if found then
        update dispatch set turn = t.turn where turn < t.turn;
        perform pg_notify('task', p_id::text);
        return next t;
    end if;
end $$;

-- Store progress, never backwards. Answers how the task stands for this executor: wanted, cancelled, overdue or lost.
create function set_progress(
    p_id uuid, p_executor text, p_fraction double precision, p_stage text, p_segment int, p_segments int
) returns text language plpgsql as $$
declare
    t task;
begin
    select * into t from task where id = p_id;
    if not found or t.status <> 'running' or t.executor is distinct from p_executor then
        return 'lost';
    elsif t.cancel_requested then
        return 'cancelled';
    elsif t.deadline_at < now() then
        return 'overdue';
    end if;
    update task set fraction = p_fraction, stage = p_stage, segment = p_segment, segments = p_segments,
        version = version + 1
    where id = p_id and status = 'running' and executor = p_executor and p_fraction >= fraction
        and (fraction, stage, segment, segments) is distinct from (p_fraction, p_stage, p_segment, p_segments);
    if found then
        perform pg_notify('task', p_id::text);
    end if;
    return 'wanted';
end $$;

-- Replace what is reserved for a task by its exact price. Answers false where the balance does not reach.
create function reserve_exactly(p_id uuid, p_price numeric) returns boolean language plpgsql as $$
declare
    t task;
    more numeric;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found or t.credits = p_price then
        return true;
    end if;
    more := p_price - t.credits;
    update account set balance = balance - more, reserved = reserved + more
    where id = t.account_id and balance >= more;
    if not found then
        return false;
    end if;
    update task set credits = p_price, version = version + 1 where id = p_id;
    insert into ledger (account_id, task_id, kind, amount, memo)
    values (t.account_id, p_id, case when more > 0 then 'reserve' else 'release' end, abs(more), 'exact price');
    return true;
end $$;

-- End a task once: charge what is reserved or give it back, and queue the callback. With an executor's name, only
-- that one can; null ends it whoever has it. Answers false where it was ended before or belongs to another by now.
create function settle(
    p_id uuid, p_executor text, p_status text, p_result jsonb, p_media_seconds double precision
) returns boolean language plpgsql as $$
declare
    t task;
    kept boolean := p_status = 'success';
begin
    select * into t from task where id = p_id and status in ('pending', 'running')
        and (p_executor is null or executor = p_executor)
    for update;
    if not found then
        return false;
    end if;
    update task set status = p_status, result = p_result, completed_at = now(),
        credits = case when kept then t.credits else 0 end,
        fraction = case when kept then 1 else fraction end,
        stage = case when kept then 'done' else stage end,
        version = version + 1,
        media_expires_at = now() + make_interval(secs => p_media_seconds)
    where id = p_id;
    insert into ledger (account_id, task_id, kind, amount)
    values (t.account_id, p_id, case when kept then 'charge' else 'release' end, t.credits);
    if t.callback_url is not null then
        insert into delivery (task_id, account_id, url) values (p_id, t.account_id, t.callback_url);
    end if;
    insert into usage_day (account_id, day, model, succeeded, failed, credits)
    values (t.account_id, (now() at time zone 'utc')::date, t.model, kept::int, (not kept)::int,
            case when kept then t.credits else 0 end)
    on conflict (account_id, day, model) do update set
        succeeded = usage_day.succeeded + excluded.succeeded,
        failed = usage_day.failed + excluded.failed,
        credits = usage_day.credits + excluded.credits;
    update account set
        balance = balance + case when kept then 0 else t.credits end,
        reserved = reserved - t.credits,
        active = active - 1
    where id = t.account_id;
    insert into tally (name, label, count, total)
    values ('task', p_result ->> 'code', 1, extract(epoch from now() - t.created_at))
    on conflict (name, label) do update set
        count = tally.count + 1, total = tally.total + excluded.total;
    perform pg_notify('task', p_id::text);
    return true;
end $$;

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
