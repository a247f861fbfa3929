-- Several creates in one transaction: one commit for all of them, and an account's row is locked once.

-- As create_task, for each place of the arrays. Each has its own outcome: what one is refused undoes nothing of the
-- others. 'taken': others took what it saw free; ask again. In the order of accounts, so that of two groups neither
-- waits for an account that the other has while holding one that it wants.
create function create_tasks(
    p_key_hash bytea[], p_account bigint[], p_id uuid[], p_model text[], p_param jsonb[], p_inputs jsonb[],
    p_source text[], p_credits numeric[], p_callback_url text[], p_idempotency_key text[], p_body_hash bytea[],
    p_features jsonb[], p_deadline_seconds double precision[], p_creates_per_minute int[], p_active_max int[],
    p_traceparent text[], p_workflow text, p_queue text, p_version text
) returns table (place int, one creation) language plpgsql as $$
declare
    n int;
begin
    for n in
        select asked.place
        from unnest(p_key_hash, p_account) with ordinality as asked (key_hash, account_id, place)
        left join api_key as k on k.key_hash = asked.key_hash
        order by coalesce(k.account_id, asked.account_id), asked.place
    loop
        place := n;
        begin
            one := create_task(
                p_key_hash[n], p_account[n], p_id[n], p_model[n], p_param[n], p_inputs[n], p_source[n], p_credits[n],
                p_callback_url[n], p_idempotency_key[n], p_body_hash[n],
                array(select jsonb_array_elements_text(p_features[n])), p_deadline_seconds[n],
                p_creates_per_minute[n], p_active_max[n], p_traceparent[n], p_workflow, p_queue, p_version
            );
        exception when sqlstate 'P0409' then
            one := null;
            one.outcome := 'taken';
        end;
        return next;
    end loop;
end $$;
