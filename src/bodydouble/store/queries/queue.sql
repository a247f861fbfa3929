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

-- name: stranded_tasks
-- Not over, and not in the queue either.
select stranded_tasks($1) as id;

-- name: enqueue_again
-- From the first step, whatever became of the task's workflow.
select enqueue_again($1, $2, $3, $4);

-- name: enqueue_unless_run
-- The same, but never from under a live executor, whoever takes the task meanwhile.
select enqueue_unless_run($1, $2, $3, $4, $5);

-- name: delete_old_workflows
-- What the engine keeps of workflows that ended.
select delete_old_workflows($1, $2);
