-- Every outcome of a create says how the limit of creates stands, a refusal and a replay too.

-- Whose key, may it, is it the same request again, is there room and credit; then store the task, reserve its price
-- and hand it to the queue: one round trip, one transaction, all of it or nothing. What is refused without any doubt
-- is refused before anything is written; what a concurrent create decides, the last statement decides. That one
-- touches the account's row, which a busy account shares, and comes last so that it is locked for the shortest time.
create or replace function create_task(
    p_key_hash bytea, p_account bigint, p_id uuid, p_model text, p_param jsonb, p_inputs jsonb, p_source text,
    p_credits numeric, p_callback_url text, p_idempotency_key text, p_body_hash bytea, p_features text[],
    p_deadline_seconds double precision, p_creates_per_minute int, p_active_max int, p_traceparent text,
    p_workflow text, p_queue text, p_version text
) returns creation language plpgsql as $$
declare
    a account;
    k api_key;
    c creation;
    off switched_off;
    rate int;
    room int;
    step interval;
    full_at timestamptz;
    now_at timestamptz;
    my_turn int;
    known task;
begin
    if p_key_hash is not null then
        select * into k from api_key where key_hash = p_key_hash;
        if not found then
            c.outcome := 'unauthenticated';
            return c;
        end if;
        c.outcome := case when k.disabled then 'disabled' when k.expires_at <= now() then 'expired'
                          when k.scope <> 'all' then 'read_only' end;
    end if;
    select * into a from account where id = coalesce(k.account_id, p_account);
    if c.outcome is null and a.disabled then
        c.outcome := 'disabled';
    end if;
    if c.outcome is not null then
        return c;
    end if;
    c.account_id := a.id;
    c.available := a.balance;
    rate := coalesce(a.creates_per_minute, p_creates_per_minute);
    room := coalesce(a.active_max, p_active_max);
    step := interval '1 minute' / rate;
    c.rate_max := rate;
    now_at := clock_timestamp();
    c.reset_seconds := extract(epoch from greatest(a.creates_full_at, now_at) - now_at);
    c.rate_left := floor(rate * (1 - c.reset_seconds / 60));

    if p_idempotency_key is not null then
        select * into known from task where account_id = a.id and idempotency_key = p_idempotency_key;
        if found then
            c.outcome := case when known.body_hash = p_body_hash then 'replayed' else 'another_body' end;
            c.task_id := known.id;
            return c;
        end if;
    end if;

    select * into off from switched_off where name = 'maintenance' or name = any (p_features)
    order by name <> 'maintenance' limit 1;
    if found then
        c.outcome := case when off.name = 'maintenance' then 'maintenance' else 'feature_off' end;
        c.memo := coalesce(nullif(off.message, ''), off.name);
        c.retry_seconds := off.retry_seconds;
        return c;
    end if;

    full_at := greatest(a.creates_full_at, now_at) + step;
    if full_at > now_at + interval '1 minute' then
        c.outcome := 'rate';
        c.retry_seconds := extract(epoch from full_at - now_at) - 60;
        c.rate_left := 0;
        return c;
    end if;
    if a.active >= room then
        c.outcome := 'active';
        c.memo := room::text;
        return c;
    end if;
    if a.balance < p_credits then
        c.outcome := 'credits';
        return c;
    end if;

    select greatest(a.turn, d.turn) + 1 into my_turn from dispatch as d;
    insert into task (id, account_id, model, param, inputs, source, credits, callback_url, idempotency_key, body_hash,
                      turn, deadline_at, traceparent)
    values (p_id, a.id, p_model, p_param, p_inputs, p_source, p_credits, p_callback_url, p_idempotency_key, p_body_hash,
            my_turn, now_at + make_interval(secs => p_deadline_seconds), p_traceparent)
    on conflict (account_id, idempotency_key) where idempotency_key is not null do nothing;
    if not found then  -- the same key at the same moment: the other one has committed by now
        select * into known from task where account_id = a.id and idempotency_key = p_idempotency_key;
        c.outcome := case when known.body_hash = p_body_hash then 'replayed' else 'another_body' end;
        c.task_id := known.id;
        return c;
    end if;
    insert into ledger (account_id, task_id, kind, amount) values (a.id, p_id, 'reserve', p_credits);
    perform dbos.enqueue_workflow(
        workflow_name => p_workflow, queue_name => p_queue, positional_args => array[to_json(p_id::text)],
        workflow_id => p_id::text, app_version => p_version, priority => my_turn
    );

    update account set
        balance = balance - p_credits,
        reserved = reserved + p_credits,
        active = active + 1,
        turn = greatest(turn, my_turn),
        creates_full_at = greatest(creates_full_at, clock_timestamp()) + step
    where id = a.id and balance >= p_credits and active < room
        and greatest(creates_full_at, clock_timestamp()) + step <= clock_timestamp() + interval '1 minute'
    returning balance, creates_full_at into c.available, full_at;
    if not found then
        -- Concurrent creates took what was left. Undo; the caller is told why by a second, quick look.
        raise exception 'taken meanwhile' using errcode = 'P0409';
    end if;
    c.outcome := 'created';
    c.task_id := p_id;
    c.reset_seconds := extract(epoch from full_at - clock_timestamp());
    c.rate_left := floor(rate * (1 - c.reset_seconds / 60));
    return c;
end $$;
