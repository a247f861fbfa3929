-- name: create_tasks
-- Check, store, reserve and enqueue, several in one transaction, each with its own outcome.
select called.place, (called.one).* from (
    select place, one from create_tasks($1, $2, $3, $4, $5::jsonb[], $6::jsonb[], $7, $8, $9, $10, $11, $12::jsonb[],
                                        $13, $14, $15, $16, $17, $18, $19)
    offset 0
) as called;

-- name: has_request
-- One row if the account has a task that was created with this idempotency key.
select 1 from task where account_id = $1 and idempotency_key = $2 limit 1;

-- name: forget_request
-- A further request with this idempotency key creates a task.
update task set idempotency_key = null, body_hash = null where id = $1 and idempotency_key = $2 returning id;

-- name: get_task
-- One task of one account, or of any where the account is null.
select * from task where id = $1 and ($2::bigint is null or account_id = $2);

-- name: read_tasks
-- For each key and task of two arrays: whose key it is, and that account's task if it is one of its.
select asked.place, k.id as key_id, k.name as key_name, k.prefix, k.scope, k.disabled as key_disabled, k.created_at as key_created_at,
    k.last_used_at, k.expires_at, a.name as account_name, a.balance, a.reserved, a.active, a.disabled,
    a.creates_per_minute, a.active_max, a.label, a.webhook_generation, a.webhook_rotations, a.id as owner_id, t.*,
    case when t.status <> 'pending' then (
        select json_agg(json_build_array(s.stage, s.started_at, s.seconds) order by s.started_at)
        from task_stage as s where s.task_id = t.id
    ) end as stages
from unnest($1::bytea[], $2::uuid[]) with ordinality as asked (key_hash, task_id, place)
join api_key as k on k.key_hash = asked.key_hash
join account as a on a.id = k.account_id
left join task as t on t.id = asked.task_id and t.account_id = a.id;

-- name: list_tasks
-- One page of an account's tasks (of everybody's where the account is null), newest first.
select * from task
where ($1::bigint is null or account_id = $1)
    and ($2::uuid is null or id < $2)
    and ($3::text is null or status = $3)
    and ($4::text is null or model = $4)
    and ($5::text is null or source = $5)
    and ($6::timestamptz is null or created_at >= $6)
    and ($7::timestamptz is null or created_at < $7)
    and ($8::uuid is null or id >= $8)
    and ($10::boolean is null or ((result ->> 'code')::int = 499) = $10)
    and ($11::text is null or strpos(lower(title), lower($11)) > 0)
order by id desc limit $9;

-- name: set_title
-- Name a task of an account.
update task set title = $3, version = version + 1 where id = $1 and account_id = $2 returning id;

-- name: queue_position
-- How many pending tasks go before a pending one, counted up to 1000.
select (select count(*) from (
    select 1 from task as other
    where other.status = 'pending' and (other.turn, other.created_at) < (mine.turn, mine.created_at)
    limit 1000
) as before)
from task as mine where mine.id = $1 and mine.status = 'pending';

-- name: waiting_tasks
-- Who waits, in the order of their turns.
select id from task where status = 'pending' order by turn, created_at limit $1;

-- name: start_fetch
-- An executor fetches the inputs of a pending task in this queue.
select * from start_fetch($1, $2, $3);

-- name: finish_fetch
-- The inputs are there: the task moves to this queue.
select finish_fetch($1, $2, $3);

-- name: start_task
-- An executor takes it, unless it is over.
select * from start_task($1, $2);

-- name: set_progress
-- Progress never goes back; answers how the task stands.
select set_progress($1, $2, $3, $4, $5, $6);

-- name: set_preview
-- A picture and a video of the result so far.
update task set preview_key = $3, preview_video_key = $4, version = version + 1
where id = $1 and executor = $2 and status = 'running';

-- name: add_stage_time
-- Into the timeline; a stage that was begun again by another executor counts with both parts.
insert into task_stage (task_id, stage, started_at, seconds) select id, $2, $3, $4 from task where id = $1
on conflict (task_id, stage) do update set seconds = task_stage.seconds + excluded.seconds;

-- name: stage_times
-- The timeline of a task.
select stage, started_at, seconds from task_stage where task_id = $1 order by started_at;

-- name: reserve_exactly
-- The exact price instead of the estimate.
select reserve_exactly($1, $2);

-- name: settle
-- End once, with charge or release, and with the callback queued.
select settle($1, $2, $3, $4::jsonb, $5);

-- name: request_cancel
-- Ask a task that is not over to stop.
update task set cancel_requested = true, version = version + 1
where id = $1 and account_id = $2 and status in ('pending', 'running')
returning status;

-- name: delete_task
-- Remove a task that is over; its callbacks and timeline go with it, the ledger keeps what it says.
delete from task where id = $1 and account_id = $2 and status in ('success', 'failed') returning *;

-- name: overdue_tasks
-- Past their deadline and not over.
select * from task where status in ('pending', 'running') and deadline_at < now() and deadline_at < 'infinity'
order by deadline_at limit $1;

-- name: late_starts
-- Pending, though their request wanted a start by now. Compared as numbers: no interval holds every number of seconds.
select * from task where status = 'pending' and param #> '{dialect,options,start_timeout_seconds}' is not null
    and extract(epoch from now() - created_at) > (param #>> '{dialect,options,start_timeout_seconds}')::float8
order by created_at limit $1;

-- name: expired_media
-- Over, and kept long enough.
select * from task where media_expires_at < now() and media_deleted_at is null order by media_expires_at limit $1;

-- name: media_deleted
-- Their media are gone.
update task set media_deleted_at = now(), preview_key = null, preview_video_key = null, version = version + 1 where id = any ($1::uuid[]);

-- name: delete_old_tasks
-- Rows of tasks that ended long ago and have no media any more.
with old as (
    select id from task where completed_at < $1 and media_deleted_at is not null
        and not exists (select 1 from delivery as d where d.task_id = task.id and d.status = 'pending')
    order by completed_at limit $2
)
delete from task using old where task.id = old.id returning task.id;

-- name: failures
-- Why tasks failed, most frequent first; 499 is a cancel.
select (result ->> 'code')::int as code, result ->> 'message' as message, count(*) as count, max(completed_at) as last_at
from task
where completed_at > now() - make_interval(days => $1) and status = 'failed' and result ->> 'code' <> '499'
group by 1, 2 order by 3 desc, 4 desc limit $2;
