-- Put a workflow back into the queue as if no worker had taken it. Its finished steps stay finished.
--
-- Only the functions of this folder write the engine's tables (dbos.*): the state of a workflow and of its task change
-- in one transaction. pyproject.toml pins the engine's version for that reason.
create or replace function requeue(p_workflow text, p_queue text) returns void language sql as $$
    update dbos.workflow_status set status = 'ENQUEUED', queue_name = p_queue, owner_xid = null,
        recovery_attempts = 0, started_at_epoch_ms = null, completed_at = null,
        updated_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_workflow;
$$;
