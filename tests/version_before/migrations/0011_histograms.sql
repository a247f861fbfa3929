-- How seconds are spread, for quantiles: a tally for each bucket.

-- The upper bounds of a name's buckets; a value is in the first whose bound it does not exceed, else beyond the last.
-- Names without bounds have one bucket. Whoever changes bounds has to add up what was counted under the former ones.
create table tally_bound (
    name   text not null,
    bound  double precision not null,
    primary key (name, bound)
);

insert into tally_bound (name, bound)
-- A read takes milliseconds; what streams a large file takes a minute.
select 'http', unnest(array[0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]) union all
-- From a copy of a small file, or a worker that was waiting, to a night of rendering.
select name, bound from unnest(array['stage', 'task']) as name,
    unnest(array[0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400]) as bound union all
-- A receiver nearby, to one that is given up after 15 s, which is the setting's default.
select 'callback', unnest(array[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]);

-- What was counted so far is beyond the last bound: no count and no sum gets smaller.
alter table tally
    add column bound double precision not null default 'infinity',
    drop constraint tally_pkey,
    add primary key (name, label, bound);

-- Count one value in its bucket.
create function count_value(p_name text, p_label text, p_value double precision) returns void language sql as $$
    insert into tally (name, label, bound, count, total)
    select p_name, p_label, coalesce(min(bound), 'infinity'), 1, p_value
    from tally_bound where name = p_name and bound >= p_value
    on conflict (name, label, bound) do update set count = tally.count + 1, total = tally.total + excluded.total;
$$;

create or replace function count_credits() returns trigger language plpgsql as $$
begin
    perform count_value('credits', new.kind, new.amount::double precision);
    return null;
end $$;

-- An executor takes a task, the first time or from one that is gone. No row where the task is over. The first start
-- ends the time in the queue.
create or replace function start_task(p_id uuid, p_executor text) returns setof task language plpgsql as $$
declare
    t task;
    waited double precision;
begin
    update task set status = 'running', executor = p_executor, started_at = coalesce(started_at, now()),
        attempts = attempts + case when executor is distinct from p_executor then 1 else 0 end, version = version + 1
    where id = p_id and status in ('pending', 'running')
    returning * into t;
    if found then
        if t.started_at = now() then
            waited := extract(epoch from now() - t.created_at);
            insert into task_stage (task_id, stage, started_at, seconds) values (p_id, 'queued', t.created_at, waited)
            on conflict do nothing;
            perform count_value('stage', 'queued', waited);
        end if;
        update dispatch set turn = t.turn where turn < t.turn;
        perform pg_notify('task', p_id::text);
        return next t;
    end if;
end $$;

-- End a task once: charge what is reserved or give it back, and queue the callback. With an executor's name, only
-- that one can; null ends it whoever has it. Answers false where it was ended before or belongs to another by now.
-- What nobody took yet leaves the queue.
create or replace function settle(
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
    update dbos.workflow_status set status = 'CANCELLED', queue_name = null,
        completed_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_id::text and status = 'ENQUEUED';
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
    perform count_value('task', p_result ->> 'code', extract(epoch from now() - t.created_at));
    perform pg_notify('task', p_id::text);
    return true;
end $$;
