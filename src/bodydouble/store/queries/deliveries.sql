-- name: claim_deliveries
-- Due callbacks, each leased to one dispatcher.
update delivery set next_try_at = now() + make_interval(secs => $2)
where id in (
    select id from delivery where status = 'pending' and next_try_at <= now() and account_id <> all ($3::bigint[])
    order by next_try_at limit $1 for update skip locked
)
returning *, (select traceparent from task where task.id = delivery.task_id);

-- name: hasten_deliveries
-- Due now what is due later than any wait takes: its time was set before the clock was set back.
update delivery set next_try_at = now() where status = 'pending' and next_try_at > now() + make_interval(secs => $1);

-- name: log_try
-- One line of the log.
insert into delivery_try (delivery_id, http_status, error, milliseconds)
select id, $2, $3, $4 from delivery where id = $1;

-- name: after_try
-- Record the outcome of a try: the state of the delivery, and when the next try is due.
update delivery set tries = tries + 1, next_try_at = $2, status = $3,
    delivered_at = case when $3 = 'delivered' then now() end
where id = $1 and status = 'pending';

-- name: deliveries
-- A task's callbacks.
select d.*, t.traceparent from delivery as d join task as t on t.id = d.task_id
where d.task_id = $1 order by d.created_at desc;

-- name: delivery_tries
-- The last 500 tries of a task's callbacks, oldest first: every resend adds some.
select * from (
    select y.* from delivery_try as y join delivery as d on d.id = y.delivery_id where d.task_id = $1
    order by y.id desc limit 500
) as last order by id;

-- name: resend
-- Make the latest delivery of a task due now, with the full number of tries again.
update delivery set status = 'pending', tries = 0, next_try_at = now(), delivered_at = null
where id = (select id from delivery where task_id = $1 order by created_at desc limit 1)
returning id;
