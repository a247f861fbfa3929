-- Queue again what an executor that lives was handed and does not work at. Never the normal course: a fault of the engine
-- may end its side of a workflow without a word, and must not strand the task. Answers the tasks.
create function requeue_strays(p_executor text, p_queue text, p_running text[], p_grace double precision)
returns setof text language plpgsql as $$
declare
    w text;
begin
    for w in
        select s.workflow_uuid from dbos.workflow_status as s
        where s.queue_name = p_queue and s.status = 'PENDING' and s.executor_id = p_executor
            and s.workflow_uuid <> all (p_running)
            and s.started_at_epoch_ms < (extract(epoch from now()) - p_grace) * 1000
        for update skip locked
    loop
        perform requeue(w, p_queue);
        return next w;
    end loop;
end $$;
