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

-- Store a task, reserve its price and hand it to the queue, or nothing of it. The balance is touched last, so that
-- the row of a busy account is locked for the shortest time.
create function create_task(
    p_id uuid, p_account bigint, p_model text, p_param jsonb, p_inputs jsonb, p_source text, p_credits numeric,
    p_callback_url text, p_workflow text, p_queue text, p_version text
) returns void language plpgsql as $$
begin
    insert into task (id, account_id, model, param, inputs, source, credits, callback_url)
    values (p_id, p_account, p_model, p_param, p_inputs, p_source, p_credits, p_callback_url);
    insert into ledger (account_id, task_id, kind, amount) values (p_account, p_id, 'reserve', -p_credits);
    perform dbos.enqueue_workflow(
        workflow_name => p_workflow, queue_name => p_queue, positional_args => array[to_json(p_id::text)],
        workflow_id => p_id::text, app_version => p_version
    );
    update account set balance = balance - p_credits where id = p_account and balance >= p_credits;
    if not found then
        raise exception 'insufficient credits' using errcode = 'P0402';
    end if;
end $$;

-- Replace what is reserved for a task by its exact price. Answers false where the balance does not reach.
create function reserve_exactly(p_id uuid, p_price numeric) returns boolean language plpgsql as $$
declare
    t task;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found or t.credits = p_price then
        return true;
    end if;
    update account set balance = balance + t.credits - p_price
    where id = t.account_id and balance + t.credits >= p_price;
    if not found then
        return false;
    end if;
    update task set credits = p_price where id = p_id;
    insert into ledger (account_id, task_id, kind, amount, memo)
    values (t.account_id, p_id, 'reserve', t.credits - p_price, 'exact price');
    return true;
end $$;

-- End a task once: charge what is reserved, or give it back. Answers false where it was ended before.
create function settle(p_id uuid, p_status text, p_result jsonb) returns boolean language plpgsql as $$
declare
    t task;
    kept boolean := p_status = 'success';
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found then
        return false;
    end if;
    update task set status = p_status, result = p_result, completed_at = now(),
        credits = case when kept then t.credits else 0 end,
        fraction = case when kept then 1 else fraction end,
        stage = case when kept then 'done' else stage end
    where id = p_id;
    insert into ledger (account_id, task_id, kind, amount)
    values (t.account_id, p_id, case when kept then 'charge' else 'release' end, case when kept then 0 else t.credits end);
    if not kept then
        update account set balance = balance + t.credits where id = t.account_id;
    end if;
    return true;
end $$;
