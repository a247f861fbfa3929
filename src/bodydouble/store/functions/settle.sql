-- End a task exactly once: charge or release its credits, enqueue its callback, remove it from the queue. With p_executor
-- only that executor can end it; null ends it whatever the executor. Returns false if the task has ended already or
-- belongs to another executor.
create or replace function settle(
    p_id uuid, p_executor text, p_status text, p_result jsonb, p_media_seconds double precision
) returns boolean language plpgsql as $$
declare
    t task;
    kept boolean := p_status = 'success';
begin
    select * into t from task where id = p_id and status in ('pending', 'running')
        and (p_executor is null or executor = p_executor)
    for update;
    if not found then
        return false;
    end if;
    update task set status = p_status, result = p_result, completed_at = now(),
        credits = case when kept then t.credits else 0 end,
        fraction = case when kept then 1 else fraction end,
        stage = case when kept then 'done' else stage end,
        version = version + 1,
        -- A client that is called back has the response to its request: the same request then creates another task.
        idempotency_key = case when t.callback_url is null or t.idempotency_key not like 'unread:%' then t.idempotency_key end,
        media_expires_at = now() + make_interval(secs => p_media_seconds)
    where id = p_id;
    insert into ledger (account_id, task_id, kind, amount)
    values (t.account_id, p_id, case when kept then 'charge' else 'release' end, t.credits);
    if t.callback_url is not null then
        insert into delivery (task_id, account_id, url) values (p_id, t.account_id, t.callback_url);
    end if;
    update dbos.workflow_status set status = 'CANCELLED', queue_name = null,
        completed_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_id::text and status = 'ENQUEUED';
    insert into usage_day (account_id, day, model, succeeded, failed, credits)
    values (t.account_id, (now() at time zone 'utc')::date, t.model, kept::int, (not kept)::int,
            case when kept then t.credits else 0 end)
    on conflict (account_id, day, model) do update set
        succeeded = usage_day.succeeded + excluded.succeeded,
        failed = usage_day.failed + excluded.failed,
        credits = usage_day.credits + excluded.credits;
    update account set
        balance = balance + case when kept then 0 else t.credits end,
        reserved = reserved - t.credits,
        active = active - 1
    where id = t.account_id;
    perform count_value('task', p_result ->> 'code', greatest(extract(epoch from now() - t.created_at), 0));
    perform pg_notify('task', p_id::text);
    return true;
end $$;
