-- name: create_task
-- Store, reserve and enqueue in one transaction.
select create_task($1, $2, $3, $4::jsonb, $5::jsonb, $6, $7, $8, $9, $10, $11);

-- name: get_task
-- One task of one account, or of any where the account is null.
select * from task where id = $1 and ($2::bigint is null or account_id = $2);

-- name: queue_position
-- How many pending tasks go before a pending one.
select count(*) from task as other, task as mine
where mine.id = $1 and mine.status = 'pending' and other.status = 'pending' and other.created_at < mine.created_at
having exists (select 1 from task where id = $1 and status = 'pending');

-- name: start_task
-- Mark as running and count the attempt, unless it is over.
update task set status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now())
where id = $1 and status in ('pending', 'running')
returning *;

-- name: set_progress
-- Progress never goes back; no row where the task is over or is to be cancelled.
update task set fraction = greatest(fraction, $2),
    stage = case when $2 >= fraction then $3 else stage end,
    segment = case when $2 >= fraction then $4 else segment end,
    segments = case when $2 >= fraction then $5 else segments end
where id = $1 and status = 'running' and not cancel_requested
returning id;

-- name: reserve_exactly
-- The exact price instead of the estimate.
select reserve_exactly($1, $2);

-- name: settle
-- End once, with charge or release.
select settle($1, $2, $3::jsonb);

-- name: request_cancel
-- Ask a task that is not over to stop.
update task set cancel_requested = true where id = $1 and account_id = $2 and status in ('pending', 'running')
returning status;
