-- Delete everything that the engine stores of these workflows.
create or replace function forget_workflows(p_workflows text[]) returns void language sql as $$
    delete from dbos.operation_outputs where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_output where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_input where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_status where workflow_uuid = any (p_workflows);
$$;
