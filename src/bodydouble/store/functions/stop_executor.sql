-- Mark an executor as stopped and requeue its tasks. An orderly stop (p_in_order) does not consume an attempt.
create or replace function stop_executor(p_executor text, p_queue text, p_in_order boolean) returns void
language plpgsql as $$
begin
    update executor set stopped_at = now() where id = p_executor;
    if p_in_order then
        update task set executor = null, attempts = greatest(attempts - 1, 0)
        where executor = p_executor and status in ('pending', 'running');
    end if;
    perform requeue(workflow_uuid, p_queue) from dbos.workflow_status
    where queue_name = p_queue and status = 'PENDING' and executor_id = p_executor;
end $$;
