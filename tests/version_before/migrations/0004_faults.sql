-- What happens to tasks whose worker ends, and the chores that any process may do.
--
-- The engine's tables are touched here and nowhere else: what becomes of a workflow has to hold together with what
-- becomes of its task, in one transaction. The version of the engine is pinned for that reason.

-- Regular work that one process does for all; whoever finds it due first takes it.
create table chore (
    name    text primary key,
    due_at  timestamptz not null
);

-- A workflow that is queued again is as if it had never been handed out; its finished steps stay finished.
create function requeue(p_workflow text, p_queue text) returns void language sql as $$
    update dbos.workflow_status set status = 'ENQUEUED', queue_name = p_queue, owner_xid = null,
        recovery_attempts = 0, started_at_epoch_ms = null, completed_at = null,
        updated_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_workflow;
$$;

-- Queue again what was handed to executors that ended or gave no sign for so long. Answers the tasks.
create function requeue_abandoned(p_queue text, p_silence double precision) returns setof text
language plpgsql as $$
declare
    w text;
begin
    for w in
        select s.workflow_uuid from dbos.workflow_status as s
        where s.queue_name = p_queue and s.status = 'PENDING' and not exists (
            select 1 from executor as e
            where e.id = s.executor_id and e.stopped_at is null
                and extract(epoch from now() - e.beat_at) <= p_silence
        )
        for update skip locked
    loop
        perform requeue(w, p_queue);
        return next w;
    end loop;
end $$;

-- An executor ends. In order, it hands its tasks over: they are queued again at once, and this was no failed attempt.
create function stop_executor(p_executor text, p_queue text, p_in_order boolean) returns void
language plpgsql as $$
begin
    update executor set stopped_at = now() where id = p_executor;
    if p_in_order then
        update task set executor = null, attempts = greatest(attempts - 1, 0)
        where executor = p_executor and status = 'running';
    end if;
    perform requeue(workflow_uuid, p_queue) from dbos.workflow_status
    where queue_name = p_queue and status = 'PENDING' and executor_id = p_executor;
end $$;

-- Hand a task to the queue as if for the first time, whatever became of its workflow. The artefacts of the steps that
-- were done are there, so that they cost little. False where the task is over.
create function enqueue_again(p_id uuid, p_workflow text, p_queue text, p_version text) returns boolean
language plpgsql as $$
declare
    t task;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found then
        return false;
    end if;
    perform forget_workflows(array[p_id::text]);
    update task set executor = null where id = p_id;
    perform dbos.enqueue_workflow(
        workflow_name => p_workflow, queue_name => p_queue, positional_args => array[to_json(p_id::text)],
        workflow_id => p_id::text, app_version => p_version, priority => t.turn
    );
    return true;
end $$;

-- Tasks that are not over though their workflow is, or is gone. Never the normal course; a fault of the engine or of
-- an operator must not strand a task.
create function stranded_tasks(p_limit int) returns setof uuid language sql as $$
    select t.id from task as t
    where t.status in ('pending', 'running') and not exists (
        select 1 from dbos.workflow_status as w
        where w.workflow_uuid = t.id::text and w.status in ('ENQUEUED', 'PENDING', 'DELAYED')
    )
    order by t.created_at limit p_limit;
$$;

create function forget_workflows(p_workflows text[]) returns void language sql as $$
    delete from dbos.operation_outputs where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_output where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_input where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_status where workflow_uuid = any (p_workflows);
$$;

-- What the engine keeps of workflows that ended before this moment is of no use to anybody.
create function delete_old_workflows(p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
    old text[];
begin
    select array_agg(workflow_uuid) into old from (
        select workflow_uuid from dbos.workflow_status
        where completed_at < extract(epoch from p_before) * 1000 and status not in ('ENQUEUED', 'PENDING', 'DELAYED')
        order by completed_at limit p_limit
        for update skip locked
    ) as s;
    perform forget_workflows(old);
    return coalesce(cardinality(old), 0);
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
            insert into tally (name, label, count, total) values ('stage', 'queued', 1, waited)
            on conflict (name, label) do update set
                count = tally.count + 1, total = tally.total + excluded.total;
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
    insert into tally (name, label, count, total)
    values ('task', p_result ->> 'code', 1, extract(epoch from now() - t.created_at))
    on conflict (name, label) do update set
        count = tally.count + 1, total = tally.total + excluded.total;
    perform pg_notify('task', p_id::text);
    return true;
end $$;
