-- Enqueue a task from its first step, unless a live executor has it: one whose last heartbeat is within p_silence
-- seconds. It may render the task, or fetch its inputs. Returns false in that case, and if the task has ended.
create or replace function enqueue_unless_run(
    p_id uuid, p_workflow text, p_queue text, p_version text, p_silence double precision
) returns boolean language plpgsql as $$
declare
    holder text;
begin
    select executor into holder from task where id = p_id and status in ('pending', 'running') for update;
    if not found or exists (
        select 1 from executor as e
        where e.id = holder and e.stopped_at is null and extract(epoch from now() - e.beat_at) <= p_silence
    ) then
        return false;
    end if;
    return enqueue_again(p_id, p_workflow, p_queue, p_version);
end $$;
