-- Move a task whose inputs this executor has fetched to the queue of tasks to render. The fetch consumes no attempt.
-- Returns false if the task has ended or another executor has it.
create or replace function finish_fetch(p_id uuid, p_executor text, p_queue text) returns boolean language plpgsql as $$
begin
    update task set executor = null, stage = 'queued', attempts = greatest(attempts - 1, 0), version = version + 1
    where id = p_id and status = 'pending' and executor = p_executor;
    if not found then
        return false;
    end if;
    perform requeue(p_id::text, p_queue);
    update dbos.workflow_status set queue_partition_key = null where workflow_uuid = p_id::text;
    perform pg_notify('task', p_id::text);
    return true;
end $$;
