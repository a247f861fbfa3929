-- Create tasks: check key, idempotency, switches, limits and balance, then store the accepted tasks, reserve their credits
-- and enqueue them. Each element of the arrays is one create and gets its own outcome; a refused create does not affect
-- the others. The creates of an account count against its limits in the order of the arrays.
--
-- The accounts are locked first, in the order of their ids. So nothing changes between check and store, and two calls
-- cannot deadlock. The checks write nothing; one statement stores all accepted creates of all accounts, which takes a
-- quarter of the processor time of one statement for each. It writes the engine's rows as dbos.enqueue_workflow does,
-- which accepts only one workflow a call.
--
-- The queue 'fetches' runs one workflow of each partition at a time, and an account has four partitions.
create or replace function create_tasks(
    p_key_hash bytea[], p_account bigint[], p_id uuid[], p_model text[], p_param jsonb[], p_inputs jsonb[],
    p_source text[], p_credits numeric[], p_callback_url text[], p_idempotency_key text[], p_body_hash bytea[],
    p_features jsonb[], p_deadline_seconds double precision[], p_creates_per_minute int[], p_active_max int[],
    p_traceparent text[], p_workflow text, p_queue text, p_version text
) returns table (place int, one creation) language plpgsql as $$
declare
    q record;
    now_at timestamptz;
    -- The account of the creates under check, with the creates accepted so far.
    owner bigint;
    balance numeric;
    active int;
    turn int;
    full_at timestamptz;
    step interval;
    keys text[];
    hashes bytea[];
    ids uuid[];
    known int;
    ahead bigint[] := '{}';  -- accounts whose bucket is full later than it could be: the clock was set back
    -- The accepted creates: array position, account, turn, and when the account's bucket of creates is full again.
    places int[] := '{}';
    owners bigint[] := '{}';
    turns int[] := '{}';
    fulls timestamptz[] := '{}';
begin
    perform from account where id in (
        select coalesce(k.account_id, asked.account_id)
        from unnest(p_key_hash, p_account) as asked (key_hash, account_id)
        left join api_key as k on k.key_hash = asked.key_hash
    ) order by id for no key update;
    now_at := clock_timestamp();

    for q in
        select asked.*, k.id is null as no_key, k.disabled as key_disabled, k.expires_at <= now() as key_expired,
            k.scope, a.id as account_id, a.balance, a.active, a.disabled, a.creates_full_at,
            coalesce(a.creates_per_minute, asked.per_minute) as rate, coalesce(a.active_max, asked.active_max) as room,
            greatest(a.turn, d.turn) as turn, earlier.id as earlier_id, earlier.body_hash as earlier_hash,
            off.name as off, off.message as off_message, off.retry_seconds as off_seconds
        from unnest(
            p_key_hash, p_account, p_credits, p_idempotency_key, p_body_hash, p_features, p_creates_per_minute,
            p_active_max
        ) with ordinality as asked (
            key_hash, account, credits, idempotency_key, body_hash, features, per_minute, active_max, place
        )
        left join api_key as k on k.key_hash = asked.key_hash
        left join account as a on a.id = coalesce(k.account_id, asked.account)
        cross join dispatch as d
        left join lateral (
            select t.id, t.body_hash from task as t
            where t.account_id = a.id and t.idempotency_key = asked.idempotency_key limit 1
        ) as earlier on true
        left join lateral (
            select o.* from switched_off as o where o.name = 'maintenance' or asked.features ? o.name
            order by o.name <> 'maintenance' limit 1
        ) as off on true
        order by a.id, asked.place
    loop
        place := q.place;
        one := null;
        one.outcome := case
            when q.key_hash is not null and q.no_key then 'unauthenticated'
            when q.key_disabled then 'disabled'
            when q.key_expired then 'expired'
            when q.scope <> 'all' then 'read_only'
            when q.disabled then 'disabled'
        end;
        if one.outcome is not null then
            return next;
            continue;
        end if;

        if owner is distinct from q.account_id then
            owner := q.account_id;
            balance := q.balance;
            active := q.active;
            turn := q.turn;
            full_at := greatest(q.creates_full_at, now_at);
            if full_at > now_at + interval '1 minute' then
                full_at := now_at + interval '1 minute';
                ahead := ahead || owner;
            end if;
            keys := '{}';
            hashes := '{}';
            ids := '{}';
        end if;
        step := interval '1 minute' / q.rate;
        one.account_id := owner;
        one.available := balance;
        one.rate_max := q.rate;

        known := array_position(keys, q.idempotency_key);
        if q.earlier_id is not null or known is not null then
            one.task_id := coalesce(q.earlier_id, ids[known]);
            one.outcome := case
                when coalesce(q.earlier_hash, hashes[known]) = q.body_hash then 'replayed' else 'another_body'
            end;
        elsif q.off is not null then
            one.outcome := case when q.off = 'maintenance' then 'maintenance' else 'feature_off' end;
            one.memo := coalesce(nullif(q.off_message, ''), q.off);
            one.retry_seconds := q.off_seconds;
        elsif full_at + step > now_at + interval '1 minute' then
            one.outcome := 'rate';
            one.retry_seconds := extract(epoch from full_at + step - now_at) - 60;
        elsif active >= q.room then
            one.outcome := 'active';
            one.memo := q.room::text;
        elsif balance < q.credits then
            one.outcome := 'credits';
        else
            one.outcome := 'created';
            one.task_id := p_id[place];
            balance := balance - q.credits;
            active := active + 1;
            turn := turn + 1;
            full_at := full_at + step;
            one.available := balance;
            places := places || place;
            owners := owners || owner;
            turns := turns || turn;
            fulls := fulls || full_at;
            if q.idempotency_key is not null then
                keys := keys || q.idempotency_key;
                hashes := hashes || q.body_hash;
                ids := ids || p_id[place];
            end if;
        end if;
        one.reset_seconds := extract(epoch from full_at - now_at);
        one.rate_left := case when one.outcome = 'rate' then 0 else floor(q.rate * (1 - one.reset_seconds / 60)) end;
        return next;
    end loop;

    if cardinality(ahead) > 0 then  -- also if none of their creates is accepted, or they would stay locked out
        update account set creates_full_at = now_at + interval '1 minute' where id = any (ahead);
    end if;

    with chosen as materialized (
        select accepted.owner, accepted.turn, accepted.full_at, asked.*
        from unnest(places, owners, turns, fulls) as accepted (place, owner, turn, full_at)
        join unnest(
            p_id, p_model, p_param, p_inputs, p_source, p_credits, p_callback_url, p_idempotency_key, p_body_hash,
            p_deadline_seconds, p_traceparent
        ) with ordinality as asked (
            id, model, param, inputs, source, credits, callback_url, idempotency_key, body_hash, deadline_seconds,
            traceparent, place
        ) using (place)
    ), made as (
        insert into task (id, account_id, model, param, inputs, source, credits, callback_url, idempotency_key,
                          body_hash, turn, deadline_at, traceparent, account_label)
        select c.id, c.owner, c.model, c.param, c.inputs, c.source, c.credits, c.callback_url, c.idempotency_key,
            c.body_hash, c.turn, now_at + make_interval(secs => c.deadline_seconds), c.traceparent, a.label
        from chosen as c join account as a on a.id = c.owner
    ), booked as (
        insert into ledger (account_id, task_id, kind, amount)
        select c.owner, c.id, 'reserve', c.credits from chosen as c
    ), queued as (
        insert into dbos.workflow_status (workflow_uuid, status, name, queue_name, priority, application_version,
                                          queue_partition_key, created_at, updated_at, recovery_attempts, owner_xid, serialization)
        select c.id::text, 'ENQUEUED', p_workflow, p_queue, c.turn, p_version,
            case when p_queue = 'fetches' then c.owner || '-' || c.turn % 4 end, ms, ms, 0, gen_random_uuid()::text,
            'portable_json'
        from chosen as c, (select (extract(epoch from now()) * 1000)::bigint as ms) as clock
    ), given as (
        insert into dbos.workflow_input (workflow_uuid, inputs, retention_timestamp)
        select c.id::text,
            json_build_object('positionalArgs', array[to_json(c.id::text)], 'namedArgs', '{}'::json)::text,
            (extract(epoch from now()) * 1000)::bigint
        from chosen as c
    )
    update account as a set
        balance = a.balance - sum.credits, reserved = a.reserved + sum.credits, active = a.active + sum.tasks,
        turn = sum.turn, creates_full_at = sum.full_at
    from (
        select c.owner, sum(c.credits) as credits, count(*) as tasks, max(c.turn) as turn, max(c.full_at) as full_at
        from chosen as c group by c.owner
    ) as sum
    where a.id = sum.owner;
end $$;
