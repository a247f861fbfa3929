-- Delete up to p_limit workflows that ended before p_before. Returns how many.
create or replace function delete_old_workflows(p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
    old text[];
begin
    select array_agg(workflow_uuid) into old from (
        select workflow_uuid from dbos.workflow_status
        where completed_at < extract(epoch from p_before) * 1000 and status not in ('ENQUEUED', 'PENDING', 'DELAYED')
        order by completed_at limit p_limit
        for update skip locked
    ) as s;
    perform forget_workflows(old);
    return coalesce(cardinality(old), 0);
end $$;
