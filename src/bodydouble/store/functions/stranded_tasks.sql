-- Tasks that have not ended although their workflow has, or is gone. Needed only after a fault of the engine or of an
-- operator, which must not strand a task.
create or replace function stranded_tasks(p_limit int) returns setof uuid language sql as $$
    select t.id from task as t
    where t.status in ('pending', 'running') and not exists (
        select 1 from dbos.workflow_status as w
        where w.workflow_uuid = t.id::text and w.status in ('ENQUEUED', 'PENDING', 'DELAYED')
    )
    order by t.created_at limit p_limit;
$$;
