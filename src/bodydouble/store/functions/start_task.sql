-- Assign a task to an executor, for the first time or from an executor that is gone. No row if the task has ended. The
-- first start ends the stage 'queued'.
create or replace function start_task(p_id uuid, p_executor text) returns setof task language plpgsql as $$
declare
    t task;
    waited double precision;
    fetch_seconds double precision;
begin
    update task set status = 'running', executor = p_executor, started_at = coalesce(started_at, now()),
        attempts = attempts + case when executor is distinct from p_executor then 1 else 0 end, version = version + 1
    where id = p_id and status in ('pending', 'running')
    returning * into t;
    if found then
        if t.started_at = now() then
            select coalesce(sum(seconds), 0) into fetch_seconds from task_stage where task_id = p_id and stage = 'fetch';
            waited := greatest(extract(epoch from now() - t.created_at) - fetch_seconds, 0);  -- the clock may be set back
            insert into task_stage (task_id, stage, started_at, seconds) values (p_id, 'queued', t.created_at, waited)
            on conflict do nothing;
            perform count_value('stage', 'queued', waited);
            insert into delivery (task_id, account_id, url)
            select t.id, t.account_id, t.param #>> '{dialect,options,start_webhook}'
            where t.param #>> '{dialect,options,start_webhook}' is not null;
        end if;
        update dispatch set turn = t.turn where turn < t.turn;
        perform pg_notify('task', p_id::text);
        return next t;
    end if;
end $$;
