-- Requeue the workflows of executors that stopped, or sent no heartbeat for p_silence seconds. Returns the task ids.
-- A heartbeat from the future was sent before the clock was set back; it counts from now on.
create or replace function requeue_abandoned(p_queue text, p_silence double precision) returns setof text
language plpgsql as $$
declare
    w text;
begin
    update executor set beat_at = now() where beat_at > now() + interval '10 seconds';
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
