-- name: beat
-- This executor is alive.
insert into executor (id, host, pid, version) values ($1, $2, $3, $4)
on conflict (id) do update set beat_at = now(), host = $2, pid = $3, version = $4, stopped_at = null,
    started_at = case when executor.pid = $3 then executor.started_at else now() end;

-- name: stop_executor
-- It ended; in order (true) it hands its tasks over.
select stop_executor($1, $2, $3);

-- name: executors
-- Seen within the last day, newest first.
select e.*, (select count(*) from task as t where t.executor = e.id and t.status = 'running') as running
from executor as e where e.beat_at > now() - interval '1 day' order by e.started_at desc;

-- name: requeue_abandoned
-- Queue again what nobody alive works on.
select requeue_abandoned($1, $2) as id;

-- name: requeue_strays
-- Handed to this executor so many seconds ago, and not among what it works at.
select requeue_strays($1, $2, $3::text[], $4) as id;

-- name: delete_old_executors
-- Workers that nobody has seen for long.
delete from executor where beat_at < $1;
