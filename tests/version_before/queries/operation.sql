-- name: beat
-- This executor is alive.
insert into executor (id, host, pid, version) values ($1, $2, $3, $4)
on conflict (id) do update set beat_at = now(), host = $2, pid = $3, version = $4, stopped_at = null,
    started_at = case when executor.pid = $3 then executor.started_at else now() end;

-- name: stop_executor
-- It ended; in order (true) it hands its tasks over.
select stop_executor($1, $2, $3);

-- name: requeue_strays
-- Handed to this executor so many seconds ago, and not among what it works at.
select requeue_strays($1, $2, $3::text[], $4) as id;

-- name: executors
-- Seen within the last day, newest first.
select e.*, (select count(*) from task as t where t.executor = e.id and t.status = 'running') as running
from executor as e where e.beat_at > now() - interval '1 day' order by e.started_at desc;

-- name: requeue_abandoned
-- Queue again what nobody alive works on.
select requeue_abandoned($1, $2) as id;

-- name: stranded_tasks
-- Not over, and not in the queue either.
select stranded_tasks($1) as id;

-- name: enqueue_again
-- From the first step, whatever became of the task's workflow.
select enqueue_again($1, $2, $3, $4);

-- name: claim_chore
-- One process in each period does it.
insert into chore (name, due_at) values ($1, now() + make_interval(secs => $2))
on conflict (name) do update set due_at = excluded.due_at where chore.due_at <= now()
returning name;

-- name: delete_old_workflows
-- What the engine keeps of workflows that ended.
select delete_old_workflows($1, $2);

-- name: delete_old_executors
-- Workers that nobody has seen for long.
delete from executor where beat_at < $1;

-- name: switch_off
-- Take no new work of this name.
insert into switched_off (name, message, retry_seconds) values ($1, $2, $3)
on conflict (name) do update set message = $2, retry_seconds = $3;

-- name: switch_on
-- Take it again.
delete from switched_off where name = $1 returning name;

-- name: switched_off
-- What is off.
select * from switched_off order by name;

-- name: queue_state
-- Depth and age of what waits.
select
    (select count(*) from task where status = 'pending') as pending,
    (select count(*) from task where status = 'running') as running,
    (select coalesce(extract(epoch from now() - min(created_at)), 0) from task where status = 'pending') as oldest,
    (select count(*) from delivery where status = 'pending') as deliveries,
    (select coalesce(extract(epoch from now() - min(created_at)), 0) from delivery where status = 'pending')
        as oldest_delivery,
    (select count(*) from executor where stopped_at is null and beat_at >= now() - make_interval(secs => $1))
        as executors;

-- name: failures
-- Why tasks failed, most frequent first; 499 is a cancel.
select (result ->> 'code')::int as code, result ->> 'message' as message, count(*) as count, max(completed_at) as last_at
from task
where completed_at > now() - make_interval(days => $1) and status = 'failed' and result ->> 'code' <> '499'
group by 1, 2 order by 3 desc, 4 desc limit $2;

-- name: agree
-- What the installation has under this name: what it had, else the value given.
with put as (
    insert into installation (name, value) values ($1, $2) on conflict (name) do nothing returning value
)
select value from put union all select value from installation where name = $1 limit 1;

-- name: agree_anew
-- From now on it is this.
insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value;
