-- Store progress, which never decreases; a task whose inputs are fetched is pending. Returns the status of the executor's lease: wanted, cancelled, overdue or lost.
create or replace function set_progress(
    p_id uuid, p_executor text, p_fraction double precision, p_stage text, p_segment int, p_segments int
) returns text language plpgsql as $$
declare
    t task;
begin
    select * into t from task where id = p_id;
    if not found or t.status not in ('pending', 'running') or t.executor is distinct from p_executor then
        return 'lost';
    elsif t.cancel_requested then
        return 'cancelled';
    elsif t.deadline_at < now() then
        return 'overdue';
    end if;
    update task set fraction = p_fraction, stage = p_stage, segment = p_segment, segments = p_segments,
        version = version + 1
    where id = p_id and status in ('pending', 'running') and executor = p_executor and p_fraction >= fraction
        and (fraction, stage, segment, segments) is distinct from (p_fraction, p_stage, p_segment, p_segments);
    if found then
        if p_stage is distinct from t.stage and t.param #>> '{dialect,options,logs_webhook}' is not null then
            insert into delivery (task_id, account_id, url)
            values (t.id, t.account_id, t.param #>> '{dialect,options,logs_webhook}');
        end if;
        perform pg_notify('task', p_id::text);
    end if;
    return 'wanted';
end $$;
