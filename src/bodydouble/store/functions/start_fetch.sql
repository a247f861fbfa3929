-- Assign a pending task whose workflow is in the queue p_queue to an executor that fetches its inputs. The task stays
-- pending: it waits for a render slot. No row if the task has started or ended, or is in another queue.
create or replace function start_fetch(p_id uuid, p_executor text, p_queue text) returns setof task language plpgsql as $$
declare
    t task;
begin
    update task set executor = p_executor, stage = 'fetch', version = version + 1,
        attempts = attempts + case when executor is distinct from p_executor then 1 else 0 end
    where id = p_id and status = 'pending' and exists (
        select from dbos.workflow_status as w where w.workflow_uuid = p_id::text and w.queue_name = p_queue
    )
    returning * into t;
    if found then
        perform pg_notify('task', p_id::text);
        return next t;
    end if;
end $$;
