-- Creates that come together and meet no obstacle are stored by one statement.

drop function create_tasks(
    bytea[], bigint[], uuid[], text[], jsonb[], jsonb[], text[], numeric[], text[], text[], bytea[], jsonb[],
    double precision[], int[], int[], text[], text, text, text
);

-- For each place of the arrays its own outcome: what one create is refused undoes nothing of the others. The accounts
-- are locked first, in their order: nobody changes them between the look and the change, and of two calls neither
-- waits for an account that the other has while holding one that it wants.
--
-- All creates of an account whose key, credits and limits allow them are stored with everybody else's, for a third of
-- the processor's time, as create_task and the engine's enqueue_workflow would store them. Where one of them meets an
-- obstacle, the account's creates go through create_task, in turn; so does a create that is alone.
create function create_tasks(
    p_key_hash bytea[], p_account bigint[], p_id uuid[], p_model text[], p_param jsonb[], p_inputs jsonb[],
    p_source text[], p_credits numeric[], p_callback_url text[], p_idempotency_key text[], p_body_hash bytea[],
    p_features jsonb[], p_deadline_seconds double precision[], p_creates_per_minute int[], p_active_max int[],
    p_traceparent text[], p_workflow text, p_queue text, p_version text
) returns table (place int, one creation) language plpgsql as $$
declare
    n int;
    plain record;
    stored int[] := '{}';
    now_at timestamptz;
begin
    perform from account where id in (
        select coalesce(k.account_id, asked.account_id)
        from unnest(p_key_hash, p_account) as asked (key_hash, account_id)
        left join api_key as k on k.key_hash = asked.key_hash
    ) order by id for no key update;
    now_at := clock_timestamp();

    if cardinality(p_id) > 1 then
        for plain in
            with asked as (
                select q.*, a.id as owner, a.balance, a.active, coalesce(a.active_max, q.active_max) as room,
                    coalesce(a.creates_per_minute, q.per_minute) as rate, greatest(a.turn, d.turn) as turn,
                    greatest(a.creates_full_at, now_at) as full_at,
                    (q.key_hash is null
                            or k.scope = 'all' and not k.disabled and coalesce(k.expires_at > now(), true))
                        and not a.disabled and known.id is null
                        and not exists (
                            select from switched_off as o where o.name = 'maintenance' or q.features ? o.name
                        ) as welcome
                from unnest(
                    p_key_hash, p_account, p_id, p_model, p_param, p_inputs, p_source, p_credits, p_callback_url,
                    p_idempotency_key, p_body_hash, p_features, p_deadline_seconds, p_creates_per_minute, p_active_max,
                    p_traceparent
                ) with ordinality as q (
                    key_hash, account, id, model, param, inputs, source, credits, callback_url, idempotency_key,
                    body_hash, features, deadline_seconds, per_minute, active_max, traceparent, place
                )
                left join api_key as k on k.key_hash = q.key_hash
                join account as a on a.id = coalesce(k.account_id, q.account)
                cross join dispatch as d
                -- No "not exists": a planner that believes the table small reads it from end to end for that.
                left join lateral (
                    select t.id from task as t
                    where t.account_id = a.id and t.idempotency_key = q.idempotency_key limit 1
                ) as known on true
            ), counted as (
                select *, row_number() over mine as nth, sum(credits) over mine as credits_then,
                    full_at + sum(interval '1 minute' / rate) over mine as full_then,
                    count(idempotency_key) over (partition by owner, idempotency_key) as same_key
                from asked window mine as (partition by owner order by asked.place)
            ), judged as (
                select *, bool_and(coalesce(
                    welcome and same_key <= 1 and active + nth <= room and credits_then <= balance
                    and full_then <= now_at + interval '1 minute', false
                )) over (partition by owner) as is_plain
                from counted
            ), chosen as materialized (
                select *, turn + nth as my_turn from judged where is_plain
            ), made as (
                insert into task (id, account_id, model, param, inputs, source, credits, callback_url, idempotency_key,
                                  body_hash, turn, deadline_at, traceparent)
                select id, owner, model, param, inputs, source, credits, callback_url, idempotency_key, body_hash,
                    my_turn, now_at + make_interval(secs => deadline_seconds), traceparent
                from chosen
            ), booked as (
                insert into ledger (account_id, task_id, kind, amount) select owner, id, 'reserve', credits from chosen
            ), queued as (
                insert into dbos.workflow_status (workflow_uuid, status, name, queue_name, priority,
                                                  application_version, created_at, updated_at, recovery_attempts,
                                                  owner_xid, serialization)
                select id::text, 'ENQUEUED', p_workflow, p_queue, my_turn, p_version, ms, ms, 0,
                    gen_random_uuid()::text, 'portable_json'
                from chosen, (select (extract(epoch from now()) * 1000)::bigint as ms) as clock
            ), given as (
                insert into dbos.workflow_input (workflow_uuid, inputs, retention_timestamp)
                select id::text,
                    json_build_object('positionalArgs', array[to_json(id::text)], 'namedArgs', '{}'::json)::text,
                    (extract(epoch from now()) * 1000)::bigint
                from chosen
            ), paid as (
                update account as a set
                    balance = a.balance - sum.credits, reserved = a.reserved + sum.credits,
                    active = a.active + sum.tasks, turn = sum.turn, creates_full_at = sum.full_at
                from (
                    select owner, sum(credits) as credits, count(*) as tasks, max(my_turn) as turn,
                        max(full_then) as full_at
                    from chosen group by owner
                ) as sum
                where a.id = sum.owner
            )
            select c.place, row(
                'created', owner, id, balance - credits_then, rate, floor(rate * (1 - reset / 60)), reset, null, null
            )::creation as outcome
            from chosen as c, lateral (select extract(epoch from full_then - now_at)) as until_full (reset)
        loop
            stored := stored || plain.place;
            place := plain.place;
            one := plain.outcome;
            return next;
        end loop;
    end if;

    for n in select g from generate_subscripts(p_id, 1) as g where g <> all (stored) loop
        place := n;
        one := create_task(
            p_key_hash[n], p_account[n], p_id[n], p_model[n], p_param[n], p_inputs[n], p_source[n], p_credits[n],
            p_callback_url[n], p_idempotency_key[n], p_body_hash[n],
            array(select jsonb_array_elements_text(p_features[n])), p_deadline_seconds[n], p_creates_per_minute[n],
            p_active_max[n], p_traceparent[n], p_workflow, p_queue, p_version
        );
        return next;
    end loop;
end $$;
