-- Requeue the workflows that a live executor took over p_grace seconds ago and does not run (p_running lists those that
-- it runs). Returns the task ids. Needed only after a fault of the engine, which must not strand a task.
create or replace function requeue_strays(p_executor text, p_queue text, p_running text[], p_grace double precision)
returns setof text language plpgsql as $$
declare
    w text;
begin
    for w in
        select s.workflow_uuid from dbos.workflow_status as s
        where s.queue_name = p_queue and s.status = 'PENDING' and s.executor_id = p_executor
            and s.workflow_uuid <> all (p_running)
            and abs(s.started_at_epoch_ms - extract(epoch from now()) * 1000) > p_grace * 1000
        for update skip locked
    loop
        perform requeue(w, p_queue);
        return next w;
    end loop;
end $$;
