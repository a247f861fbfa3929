-- Enqueue a task from its first step, whatever became of its workflow. Finished steps find their artefacts and cost
-- little. Returns false if the task has ended.
create or replace function enqueue_again(p_id uuid, p_workflow text, p_queue text, p_version text) returns boolean
language plpgsql as $$
declare
    t task;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found then
        return false;
    end if;
    perform forget_workflows(array[p_id::text]);
    update task set executor = null where id = p_id;
    perform dbos.enqueue_workflow(
        workflow_name => p_workflow, queue_name => p_queue, positional_args => array[to_json(p_id::text)],
        workflow_id => p_id::text, app_version => p_version, priority => t.turn
    );
    return true;
end $$;
