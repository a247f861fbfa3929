--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: dbos; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA dbos;


--
-- Name: creation; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.creation AS (
	outcome text,
	account_id bigint,
	task_id uuid,
	available numeric,
	rate_max integer,
	rate_left integer,
	reset_seconds double precision,
	retry_seconds double precision,
	memo text
);


--
-- Name: enqueue_workflow(text, text, json[], json, text, text, text, text, bigint, bigint, text, integer, text, text, text, bigint, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.enqueue_workflow(workflow_name text, queue_name text, positional_args json[] DEFAULT ARRAY[]::json[], named_args json DEFAULT '{}'::json, class_name text DEFAULT NULL::text, config_name text DEFAULT NULL::text, workflow_id text DEFAULT NULL::text, app_version text DEFAULT NULL::text, timeout_ms bigint DEFAULT NULL::bigint, deadline_epoch_ms bigint DEFAULT NULL::bigint, deduplication_id text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, queue_partition_key text DEFAULT NULL::text, authenticated_user text DEFAULT NULL::text, authenticated_roles text DEFAULT NULL::text, delay_until_epoch_ms bigint DEFAULT NULL::bigint, application_name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_workflow_id TEXT;
    v_serialized_inputs TEXT;
    v_owner_xid TEXT;
    v_now BIGINT;
    v_recovery_attempts INT4 := 0;
    v_priority INT4;
    v_status TEXT;
BEGIN

    -- Validate required parameters
    IF workflow_name IS NULL OR workflow_name = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    END IF;
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    END IF;
    IF named_args IS NOT NULL AND jsonb_typeof(named_args::jsonb) != 'object' THEN
        RAISE EXCEPTION 'Named args must be a JSON object';
    END IF;
    IF workflow_id IS NOT NULL AND workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    END IF;
    IF delay_until_epoch_ms IS NOT NULL AND delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;

    v_workflow_id := COALESCE(workflow_id, gen_random_uuid()::TEXT);
    v_owner_xid := gen_random_uuid()::TEXT;
    v_priority := COALESCE(priority, 0);
    v_serialized_inputs := json_build_object(
        'positionalArgs', positional_args,
        'namedArgs', named_args
    )::TEXT;
    v_now := EXTRACT(epoch FROM now()) * 1000;
    v_status := CASE WHEN delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END;

    INSERT INTO "dbos".workflow_status (
        workflow_uuid, status,
        name, class_name, config_name,
        queue_name, deduplication_id, priority, queue_partition_key,
        application_version,
        created_at, updated_at, recovery_attempts,
        workflow_timeout_ms, workflow_deadline_epoch_ms,
        parent_workflow_id, owner_xid, serialization,
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    ) VALUES (
        v_workflow_id, v_status,
        workflow_name, class_name, config_name,
        queue_name, deduplication_id, v_priority, queue_partition_key,
        app_version,
        v_now, v_now, v_recovery_attempts,
        timeout_ms, deadline_epoch_ms,
        NULL, v_owner_xid, 'portable_json',
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    )
    ON CONFLICT (workflow_uuid)
    DO UPDATE SET
        updated_at = EXCLUDED.updated_at;

    INSERT INTO "dbos".workflow_input (
        workflow_uuid, inputs, retention_timestamp
    ) VALUES (
        v_workflow_id, v_serialized_inputs, v_now
    )
    ON CONFLICT (workflow_uuid) DO NOTHING;

    RETURN v_workflow_id;

EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'DBOS queue duplicated'
            USING DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists', v_workflow_id, queue_name, deduplication_id),
                ERRCODE = 'unique_violation';
END;
$$;


--
-- Name: notifications_function(); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.notifications_function() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    payload text := NEW.destination_uuid || '::' || NEW.topic;
BEGIN
    PERFORM pg_notify('dbos_notifications_channel', payload);
    RETURN NEW;
END;
$$;


--
-- Name: send_message(text, json, text, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.send_message(destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_topic TEXT := COALESCE(topic, '__null__topic__');
    v_message_id TEXT := COALESCE(message_id, gen_random_uuid()::TEXT);
BEGIN
    INSERT INTO "dbos".notifications (
        destination_uuid, topic, message, message_uuid, serialization
    ) VALUES (
        destination_id, v_topic, message, v_message_id, 'portable_json'
    )
    ON CONFLICT (message_uuid) DO NOTHING;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'DBOS non-existent workflow'
            USING DETAIL = format('Destination workflow %s does not exist', destination_id),
                ERRCODE = 'foreign_key_violation';
END;
$$;


--
-- Name: count_credits(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_credits() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform count_value('credits', new.kind, new.amount::double precision);
    return null;
end $$;


--
-- Name: count_value(text, text, double precision); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_value(p_name text, p_label text, p_value double precision) RETURNS void
    LANGUAGE sql
    AS $$
    insert into tally (name, label, bound, count, total)
    select p_name, p_label, coalesce(min(bound), 'infinity'), 1, p_value
    from tally_bound where name = p_name and bound >= p_value
    on conflict (name, label, bound) do update set count = tally.count + 1, total = tally.total + excluded.total;
$$;


--
-- Name: create_task(bytea, bigint, uuid, text, jsonb, jsonb, text, numeric, text, text, bytea, text[], double precision, integer, integer, text, text, text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.create_task(p_key_hash bytea, p_account bigint, p_id uuid, p_model text, p_param jsonb, p_inputs jsonb, p_source text, p_credits numeric, p_callback_url text, p_idempotency_key text, p_body_hash bytea, p_features text[], p_deadline_seconds double precision, p_creates_per_minute integer, p_active_max integer, p_traceparent text, p_workflow text, p_queue text, p_version text) RETURNS public.creation
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: create_tasks(bytea[], bigint[], uuid[], text[], jsonb[], jsonb[], text[], numeric[], text[], text[], bytea[], jsonb[], double precision[], integer[], integer[], text[], text, text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.create_tasks(p_key_hash bytea[], p_account bigint[], p_id uuid[], p_model text[], p_param jsonb[], p_inputs jsonb[], p_source text[], p_credits numeric[], p_callback_url text[], p_idempotency_key text[], p_body_hash bytea[], p_features jsonb[], p_deadline_seconds double precision[], p_creates_per_minute integer[], p_active_max integer[], p_traceparent text[], p_workflow text, p_queue text, p_version text) RETURNS TABLE(place integer, one public.creation)
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: delete_old_workflows(timestamp with time zone, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delete_old_workflows(p_before timestamp with time zone, p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: enqueue_again(uuid, text, text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.enqueue_again(p_id uuid, p_workflow text, p_queue text, p_version text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: forget_workflows(text[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.forget_workflows(p_workflows text[]) RETURNS void
    LANGUAGE sql
    AS $$
    delete from dbos.operation_outputs where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_output where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_input where workflow_uuid = any (p_workflows);
    delete from dbos.workflow_status where workflow_uuid = any (p_workflows);
$$;


--
-- Name: requeue(text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.requeue(p_workflow text, p_queue text) RETURNS void
    LANGUAGE sql
    AS $$
    update dbos.workflow_status set status = 'ENQUEUED', queue_name = p_queue, owner_xid = null,
        recovery_attempts = 0, started_at_epoch_ms = null, completed_at = null,
        updated_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_workflow;
$$;


--
-- Name: requeue_abandoned(text, double precision); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.requeue_abandoned(p_queue text, p_silence double precision) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
declare
    w text;
begin
    for w in
        select s.workflow_uuid from dbos.workflow_status as s
        where s.queue_name = p_queue and s.status = 'PENDING' and not exists (
            select 1 from executor as e
            where e.id = s.executor_id and e.stopped_at is null
                and extract(epoch from now() - e.beat_at) <= p_silence
        )
        for update skip locked
    loop
        perform requeue(w, p_queue);
        return next w;
    end loop;
end $$;


--
-- Name: requeue_strays(text, text, text[], double precision); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.requeue_strays(p_executor text, p_queue text, p_running text[], p_grace double precision) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
declare
    w text;
begin
    for w in
        select s.workflow_uuid from dbos.workflow_status as s
        where s.queue_name = p_queue and s.status = 'PENDING' and s.executor_id = p_executor
            and s.workflow_uuid <> all (p_running)
            and s.started_at_epoch_ms < (extract(epoch from now()) - p_grace) * 1000
        for update skip locked
    loop
        perform requeue(w, p_queue);
        return next w;
    end loop;
end $$;


--
-- Name: reserve_exactly(uuid, numeric); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.reserve_exactly(p_id uuid, p_price numeric) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    t task;
    more numeric;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found or t.credits = p_price then
        return true;
    end if;
    more := p_price - t.credits;
    update account set balance = balance - more, reserved = reserved + more
    where id = t.account_id and balance >= more;
    if not found then
        return false;
    end if;
    update task set credits = p_price, version = version + 1 where id = p_id;
    insert into ledger (account_id, task_id, kind, amount, memo)
    values (t.account_id, p_id, case when more > 0 then 'reserve' else 'release' end, abs(more), 'exact price');
    return true;
end $$;


--
-- Name: set_progress(uuid, text, double precision, text, integer, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.set_progress(p_id uuid, p_executor text, p_fraction double precision, p_stage text, p_segment integer, p_segments integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    t task;
begin
    select * into t from task where id = p_id;
    if not found or t.status <> 'running' or t.executor is distinct from p_executor then
        return 'lost';
    elsif t.cancel_requested then
        return 'cancelled';
    elsif t.deadline_at < now() then
        return 'overdue';
    end if;
    update task set fraction = p_fraction, stage = p_stage, segment = p_segment, segments = p_segments,
        version = version + 1
    where id = p_id and status = 'running' and executor = p_executor and p_fraction >= fraction
        and (fraction, stage, segment, segments) is distinct from (p_fraction, p_stage, p_segment, p_segments);
    if found then
        perform pg_notify('task', p_id::text);
    end if;
    return 'wanted';
end $$;


--
-- Name: settle(uuid, text, text, jsonb, double precision); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.settle(p_id uuid, p_executor text, p_status text, p_result jsonb, p_media_seconds double precision) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    t task;
    kept boolean := p_status = 'success';
begin
    select * into t from task where id = p_id and status in ('pending', 'running')
        and (p_executor is null or executor = p_executor)
    for update;
    if not found then
        return false;
    end if;
    update task set status = p_status, result = p_result, completed_at = now(),
        credits = case when kept then t.credits else 0 end,
        fraction = case when kept then 1 else fraction end,
        stage = case when kept then 'done' else stage end,
        version = version + 1,
        media_expires_at = now() + make_interval(secs => p_media_seconds)
    where id = p_id;
    insert into ledger (account_id, task_id, kind, amount)
    values (t.account_id, p_id, case when kept then 'charge' else 'release' end, t.credits);
    if t.callback_url is not null then
        insert into delivery (task_id, account_id, url) values (p_id, t.account_id, t.callback_url);
    end if;
    update dbos.workflow_status set status = 'CANCELLED', queue_name = null,
        completed_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
    where workflow_uuid = p_id::text and status = 'ENQUEUED';
    insert into usage_day (account_id, day, model, succeeded, failed, credits)
    values (t.account_id, (now() at time zone 'utc')::date, t.model, kept::int, (not kept)::int,
            case when kept then t.credits else 0 end)
    on conflict (account_id, day, model) do update set
        succeeded = usage_day.succeeded + excluded.succeeded,
        failed = usage_day.failed + excluded.failed,
        credits = usage_day.credits + excluded.credits;
    update account set
        balance = balance + case when kept then 0 else t.credits end,
        reserved = reserved - t.credits,
        active = active - 1
    where id = t.account_id;
    perform count_value('task', p_result ->> 'code', extract(epoch from now() - t.created_at));
    perform pg_notify('task', p_id::text);
    return true;
end $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: task; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.task (
    id uuid NOT NULL,
    account_id bigint NOT NULL,
    model text NOT NULL,
    param jsonb NOT NULL,
    inputs jsonb NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    source text NOT NULL,
    credits numeric(18,4) NOT NULL,
    fraction double precision DEFAULT 0 NOT NULL,
    stage text DEFAULT 'queued'::text NOT NULL,
    segment integer,
    segments integer,
    result jsonb,
    cancel_requested boolean DEFAULT false NOT NULL,
    callback_url text,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    idempotency_key text,
    body_hash bytea,
    turn integer DEFAULT 0 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    executor text,
    deadline_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    preview_key text,
    media_expires_at timestamp with time zone,
    media_deleted_at timestamp with time zone,
    traceparent text,
    CONSTRAINT task_credits_check CHECK ((credits >= (0)::numeric)),
    CONSTRAINT task_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'success'::text, 'failed'::text])))
);


--
-- Name: start_task(uuid, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.start_task(p_id uuid, p_executor text) RETURNS SETOF public.task
    LANGUAGE plpgsql
    AS $$
declare
    t task;
    waited double precision;
begin
    update task set status = 'running', executor = p_executor, started_at = coalesce(started_at, now()),
        attempts = attempts + case when executor is distinct from p_executor then 1 else 0 end, version = version + 1
    where id = p_id and status in ('pending', 'running')
    returning * into t;
    if found then
        if t.started_at = now() then
            waited := extract(epoch from now() - t.created_at);
            insert into task_stage (task_id, stage, started_at, seconds) values (p_id, 'queued', t.created_at, waited)
            on conflict do nothing;
            perform count_value('stage', 'queued', waited);
        end if;
        update dispatch set turn = t.turn where turn < t.turn;
        perform pg_notify('task', p_id::text);
        return next t;
    end if;
end $$;


--
-- Name: stop_executor(text, text, boolean); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.stop_executor(p_executor text, p_queue text, p_in_order boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    update executor set stopped_at = now() where id = p_executor;
    if p_in_order then
        update task set executor = null, attempts = greatest(attempts - 1, 0)
        where executor = p_executor and status = 'running';
    end if;
    perform requeue(workflow_uuid, p_queue) from dbos.workflow_status
    where queue_name = p_queue and status = 'PENDING' and executor_id = p_executor;
end $$;


--
-- Name: stranded_tasks(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.stranded_tasks(p_limit integer) RETURNS SETOF uuid
    LANGUAGE sql
    AS $$
    select t.id from task as t
    where t.status in ('pending', 'running') and not exists (
        select 1 from dbos.workflow_status as w
        where w.workflow_uuid = t.id::text and w.status in ('ENQUEUED', 'PENDING', 'DELAYED')
    )
    order by t.created_at limit p_limit;
$$;


--
-- Name: application_versions; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text
);


--
-- Name: dbos_migrations; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.dbos_migrations (
    version bigint NOT NULL
);


--
-- Name: event_dispatch_kv; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38,0),
    update_time numeric(38,15)
);


--
-- Name: notifications; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer
);


--
-- Name: operation_outputs; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT ''::text NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,
    completed_at_epoch_ms bigint,
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: queues; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.queues (
    queue_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision
);


--
-- Name: streams; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text
);


--
-- Name: workflow_events; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_events_history; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_input; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_output; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_schedules; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text
);


--
-- Name: workflow_status; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,
    request text,
    output text,
    error text,
    executor_id text,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_version text,
    application_id text,
    class_name character varying(255) DEFAULT NULL::character varying,
    config_name character varying(255) DEFAULT NULL::character varying,
    recovery_attempts bigint DEFAULT 0,
    queue_name text,
    workflow_timeout_ms bigint,
    workflow_deadline_epoch_ms bigint,
    inputs text,
    started_at_epoch_ms bigint,
    deduplication_id text,
    priority integer DEFAULT 0 NOT NULL,
    queue_partition_key text,
    forked_from text,
    owner_xid text,
    parent_workflow_id text,
    serialization text,
    delay_until_epoch_ms bigint,
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,
    creator_xid text
);


--
-- Name: account; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    balance numeric(18,4) DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    reserved numeric(18,4) DEFAULT 0 NOT NULL,
    active integer DEFAULT 0 NOT NULL,
    creates_full_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    turn integer DEFAULT 0 NOT NULL,
    creates_per_minute integer,
    active_max integer,
    disabled boolean DEFAULT false NOT NULL,
    webhook_generation integer DEFAULT 1 NOT NULL,
    webhook_rotated_at timestamp with time zone,
    webhook_rotations timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL,
    CONSTRAINT account_active_check CHECK ((active >= 0)),
    CONSTRAINT account_active_max_check CHECK ((active_max > 0)),
    CONSTRAINT account_balance_check CHECK ((balance >= (0)::numeric)),
    CONSTRAINT account_creates_per_minute_check CHECK ((creates_per_minute > 0)),
    CONSTRAINT account_reserved_check CHECK ((reserved >= (0)::numeric))
);


--
-- Name: account_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: api_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key (
    key_hash bytea NOT NULL,
    account_id bigint NOT NULL,
    prefix text NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    id bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    scope text DEFAULT 'all'::text NOT NULL,
    last_used_at timestamp with time zone,
    expires_at timestamp with time zone,
    CONSTRAINT api_key_scope_check CHECK ((scope = ANY (ARRAY['all'::text, 'read'::text])))
);


--
-- Name: api_key_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.api_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: chore; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.chore (
    name text NOT NULL,
    due_at timestamp with time zone NOT NULL
);


--
-- Name: delivery; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    task_id uuid NOT NULL,
    account_id bigint NOT NULL,
    url text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_at timestamp with time zone,
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'gone'::text, 'exhausted'::text])))
);


--
-- Name: delivery_try; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery_try (
    id bigint NOT NULL,
    delivery_id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    http_status integer,
    error text,
    milliseconds integer NOT NULL
);


--
-- Name: delivery_try_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.delivery_try ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_try_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: dispatch; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.dispatch (
    single boolean DEFAULT true NOT NULL,
    turn integer DEFAULT 0 NOT NULL,
    CONSTRAINT dispatch_single_check CHECK (single)
);


--
-- Name: executor; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.executor (
    id text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    beat_at timestamp with time zone DEFAULT now() NOT NULL,
    stopped_at timestamp with time zone
);


--
-- Name: gauge; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.gauge (
    process text NOT NULL,
    name text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    value double precision NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: identity; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: installation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.installation (
    name text NOT NULL,
    value text NOT NULL
);


--
-- Name: ledger; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger (
    id bigint CONSTRAINT ledger_id_not_null1 NOT NULL,
    account_id bigint CONSTRAINT ledger_account_id_not_null1 NOT NULL,
    task_id uuid,
    kind text CONSTRAINT ledger_kind_not_null1 NOT NULL,
    amount numeric(18,4) CONSTRAINT ledger_amount_not_null1 NOT NULL,
    memo text DEFAULT ''::text CONSTRAINT ledger_memo_not_null1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() CONSTRAINT ledger_created_at_not_null1 NOT NULL,
    CONSTRAINT ledger_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT ledger_kind_check1 CHECK ((kind = ANY (ARRAY['grant'::text, 'revoke'::text, 'reserve'::text, 'release'::text, 'charge'::text])))
);


--
-- Name: ledger_difference; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.ledger_difference AS
SELECT
    NULL::bigint AS account_id,
    NULL::uuid AS task_id,
    NULL::text AS what,
    NULL::numeric AS stored,
    NULL::numeric AS by_ledger;


--
-- Name: ledger_id_seq1; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ledger_id_seq1
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: migration; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.migration (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now()
);


--
-- Name: transfer_kind; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.transfer_kind (
    kind text NOT NULL,
    from_book text NOT NULL,
    to_book text NOT NULL
);


--
-- Name: posting; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.posting AS
 SELECT l.account_id,
    l.task_id,
    k.from_book AS book,
    (- l.amount) AS amount
   FROM (public.ledger l
     JOIN public.transfer_kind k USING (kind))
UNION ALL
 SELECT l.account_id,
    l.task_id,
    k.to_book AS book,
    l.amount
   FROM (public.ledger l
     JOIN public.transfer_kind k USING (kind));


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session (
    token_hash bytea NOT NULL,
    account_id bigint NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT session_role_check CHECK ((role = ANY (ARRAY['user'::text, 'operator'::text])))
);


--
-- Name: sign_in_link; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sign_in_link (
    token_hash bytea NOT NULL,
    account_id bigint NOT NULL,
    role text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_link_role_check CHECK ((role = ANY (ARRAY['user'::text, 'operator'::text])))
);


--
-- Name: switched_off; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.switched_off (
    name text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    retry_seconds integer DEFAULT 300 NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: tally; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tally (
    name text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    count bigint DEFAULT 0 NOT NULL,
    total double precision DEFAULT 0 NOT NULL,
    bound double precision DEFAULT 'Infinity'::double precision NOT NULL
);


--
-- Name: tally_bound; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tally_bound (
    name text NOT NULL,
    bound double precision NOT NULL
);


--
-- Name: task_stage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.task_stage (
    task_id uuid NOT NULL,
    stage text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seconds double precision NOT NULL
);


--
-- Name: usage_day; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.usage_day (
    account_id bigint NOT NULL,
    day date NOT NULL,
    model text NOT NULL,
    succeeded integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    credits numeric(18,4) DEFAULT 0 NOT NULL
);


--
-- Data for Name: application_versions; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.application_versions VALUES ('4525125e-0172-4fac-842d-75f1ce0397e5', '1', 1795906536946, 1795906536946, 'bodydouble');


--
-- Data for Name: dbos_migrations; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.dbos_migrations VALUES (125);


--
-- Data for Name: event_dispatch_kv; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: notifications; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: operation_outputs; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 1, 'fetch', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906538587, 1795906538638, 'py_pickle', 'bodydouble', 1795906538648);
INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 2, 'probe', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906538662, 1795906544494, 'py_pickle', 'bodydouble', 1795906544496);
INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 3, 'perceive', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906544499, 1795906557486, 'py_pickle', 'bodydouble', 1795906557495);
INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 4, 'prepare', 'gASVDgAAAAAAAAB9lIwFdmFsdWWUSwFzLg==', NULL, NULL, 1795906557507, 1795906573754, 'py_pickle', 'bodydouble', 1795906573757);
INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 5, 'render 0', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906573778, 1795906577796, 'py_pickle', 'bodydouble', 1795906577798);
INSERT INTO dbos.operation_outputs VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 6, 'finish', 'gASVSQEAAAAAAAB9lIwFdmFsdWWUfZQojANrZXmUjDJyZXN1bHRzLzEvMDFhMjI0NWUtOWE3Ni03YTIzLThlNTEtNGIzMTViZjFmYTU2Lm1wNJSMCm1lZGlhX2luZm+UfZQojAhyZW5kZXJlcpSMBnB1cHBldJSMBXdpZHRolE0IAYwGaGVpZ2h0lEvYjANmcHOUR0A5AAAAAAAAjAZmcmFtZXOUSxqMCmR1cmF0aW9uX3OURz/wo9cKPXCkjAVhdWRpb5SIjAh3YXJuaW5nc5RdlH2UKIwEY29kZZSMEWJhY2tncm91bmRfdW5zZWVulIwHbWVzc2FnZZSMUDQ4JSBvZiB0aGUgcGljdHVyZSBiZWhpbmQgdGhlIHBlcnNvbiBpcyBuZXZlciBzZWVuIGluIHRoZSB2aWRlbyBhbmQgd2FzIG1hZGUgdXAulHVhdXVzLg==', NULL, NULL, 1795906577801, 1795906578006, 'py_pickle', 'bodydouble', 1795906578010);
INSERT INTO dbos.operation_outputs VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 1, 'fetch', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906580706, 1795906580786, 'py_pickle', 'bodydouble', 1795906580788);
INSERT INTO dbos.operation_outputs VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 2, 'probe', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906580798, 1795906586464, 'py_pickle', 'bodydouble', 1795906586465);
INSERT INTO dbos.operation_outputs VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 3, 'perceive', 'gASVDQAAAAAAAAB9lIwFdmFsdWWUTnMu', NULL, NULL, 1795906586477, 1795906602361, 'py_pickle', 'bodydouble', 1795906602364);
INSERT INTO dbos.operation_outputs VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 4, 'prepare', 'gASVDgAAAAAAAAB9lIwFdmFsdWWUSwFzLg==', NULL, NULL, 1795906602369, 1795906619171, 'py_pickle', 'bodydouble', 1795906619183);


--
-- Data for Name: queues; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.queues VALUES ('9a5f52bf-3a8e-4ccf-92f4-53dc35920919', 'tasks', NULL, 1, NULL, NULL, true, false, 0.2, 1795906537178, 1795906537100, 'bodydouble', NULL, NULL, NULL, NULL);


--
-- Data for Name: streams; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: workflow_events; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: workflow_events_history; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: workflow_input; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.workflow_input VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', '{"positionalArgs" : ["01a2245e-9a76-7a23-8e51-4b315bf1fa56"], "namedArgs" : {}}', 1795906509495);
INSERT INTO dbos.workflow_input VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', '{"positionalArgs" : ["01a2245f-af1f-7609-bd67-3ded418b2c17"], "namedArgs" : {}}', 1795906580279);
INSERT INTO dbos.workflow_input VALUES ('01a2245f-afa6-7a2c-a692-55433bc25a32', '{"positionalArgs" : ["01a2245f-afa6-7a2c-a692-55433bc25a32"], "namedArgs" : {}}', 1795906580393);
INSERT INTO dbos.workflow_input VALUES ('01a2245f-afc1-75c7-bd58-2b4c2f389f17', '{"positionalArgs" : ["01a2245f-afc1-75c7-bd58-2b4c2f389f17"], "namedArgs" : {}}', 1795906580418);
INSERT INTO dbos.workflow_input VALUES ('01a2245f-afea-7754-9b46-674fb353b792', '{"positionalArgs" : ["01a2245f-afea-7754-9b46-674fb353b792"], "namedArgs" : {}}', 1795906580460);
INSERT INTO dbos.workflow_input VALUES ('01a2245f-b001-70f8-8bf4-9ece6a7dc8e9', '{"positionalArgs" : ["01a2245f-b001-70f8-8bf4-9ece6a7dc8e9"], "namedArgs" : {}}', 1795906580481);


--
-- Data for Name: workflow_output; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.workflow_output VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', '"success"', NULL, 1795906578692);


--
-- Data for Name: workflow_schedules; Type: TABLE DATA; Schema: dbos; Owner: -
--



--
-- Data for Name: workflow_status; Type: TABLE DATA; Schema: dbos; Owner: -
--

INSERT INTO dbos.workflow_status VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'SUCCESS', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, 'vm:26089:875d5071', 1795906509495, 1795906578692, '1', NULL, NULL, NULL, 1, 'tasks', NULL, NULL, NULL, 1795906538434, NULL, 1, NULL, NULL, NULL, NULL, 'portable_json', NULL, false, false, 1795906578692, NULL, NULL, NULL, false, 'bodydouble', NULL);
INSERT INTO dbos.workflow_status VALUES ('01a2245f-afa6-7a2c-a692-55433bc25a32', 'ENQUEUED', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795906580393, 1795906580393, '1', NULL, NULL, NULL, 0, 'tasks', NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, '439b7882-fca7-4476-b16d-d371d32e5b0f', NULL, 'portable_json', NULL, false, false, NULL, NULL, NULL, NULL, false, NULL, NULL);
INSERT INTO dbos.workflow_status VALUES ('01a2245f-afc1-75c7-bd58-2b4c2f389f17', 'ENQUEUED', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795906580418, 1795906580418, '1', NULL, NULL, NULL, 0, 'tasks', NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, 'f5701032-7cae-4b17-bb88-1d42e265d44e', NULL, 'portable_json', NULL, false, false, NULL, NULL, NULL, NULL, false, NULL, NULL);
INSERT INTO dbos.workflow_status VALUES ('01a2245f-afea-7754-9b46-674fb353b792', 'ENQUEUED', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795906580460, 1795906580460, '1', NULL, NULL, NULL, 0, 'tasks', NULL, NULL, NULL, NULL, NULL, 5, NULL, NULL, '18d0012b-e168-4fab-9899-98d5bc427e26', NULL, 'portable_json', NULL, false, false, NULL, NULL, NULL, NULL, false, NULL, NULL);
INSERT INTO dbos.workflow_status VALUES ('01a2245f-b001-70f8-8bf4-9ece6a7dc8e9', 'ENQUEUED', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795906580481, 1795906580481, '1', NULL, NULL, NULL, 0, 'tasks', NULL, NULL, NULL, NULL, NULL, 6, NULL, NULL, 'cb9e8003-ee31-4c45-9ec0-2f8718124660', NULL, 'portable_json', NULL, false, false, NULL, NULL, NULL, NULL, false, NULL, NULL);
INSERT INTO dbos.workflow_status VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'PENDING', 'replace_task', NULL, NULL, NULL, NULL, NULL, NULL, 'vm:26089:875d5071', 1795906580279, 1795906580540, '1', NULL, NULL, NULL, 1, 'tasks', NULL, NULL, NULL, 1795906580540, NULL, 2, NULL, NULL, 'b61b1711-28fb-42dd-bd30-2ced00103583', NULL, 'portable_json', NULL, false, false, NULL, NULL, NULL, NULL, false, 'bodydouble', NULL);


--
-- Data for Name: account; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.account OVERRIDING SYSTEM VALUE VALUES (1, 'default', 928.0000, '2026-11-28 22:54:57.056855+00', 60.0000, 5, '2026-11-28 22:56:22.814507+00', 6, NULL, NULL, false, 1, NULL, '{}');


--
-- Data for Name: api_key; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_key OVERRIDING SYSTEM VALUE VALUES ('\x5d5785511d9fabcd0a12a4554f36b9d8540e48fffb7cafe2bd627629bd11874c', 1, 'ak_87dc60', false, '2026-11-28 22:54:57.171559+00', 1, 'first key', 'all', '2026-11-28 22:56:04.815026+00', NULL);


--
-- Data for Name: chore; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.chore VALUES ('expired media', '2026-11-28 23:00:36.698588+00');
INSERT INTO public.chore VALUES ('old uploads', '2026-11-28 23:55:36.733767+00');
INSERT INTO public.chore VALUES ('lost files', '2026-11-28 23:55:36.763893+00');
INSERT INTO public.chore VALUES ('old tasks', '2026-11-28 23:55:36.793777+00');
INSERT INTO public.chore VALUES ('old workflows', '2026-11-28 23:00:36.806663+00');
INSERT INTO public.chore VALUES ('old executors', '2026-11-28 23:55:36.845899+00');
INSERT INTO public.chore VALUES ('stranded tasks', '2026-11-28 22:57:37.225608+00');
INSERT INTO public.chore VALUES ('overdue tasks', '2026-11-28 22:57:02.43377+00');


--
-- Data for Name: delivery; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: delivery_try; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: dispatch; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.dispatch VALUES (true, 2);


--
-- Data for Name: executor; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.executor VALUES ('vm:26089:875d5071', 'vm', 26089, '0.2.1', '2026-11-28 22:55:36.648606+00', '2026-11-28 22:56:57.73695+00', NULL);


--
-- Data for Name: gauge; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: identity; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: installation; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.installation VALUES ('mark of the secret', '68232dfcec12a196');


--
-- Data for Name: ledger; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (1, 1, NULL, 'grant', 1000.0000, 'granted at the first start', '2026-11-28 22:54:57.139444+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (2, 1, '01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'reserve', 12.0000, '', '2026-11-28 22:55:09.495393+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (3, 1, '01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'charge', 12.0000, '', '2026-11-28 22:56:18.594879+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (4, 1, '01a2245f-af1f-7609-bd67-3ded418b2c17', 'reserve', 12.0000, '', '2026-11-28 22:56:20.278667+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (5, 1, '01a2245f-afa6-7a2c-a692-55433bc25a32', 'reserve', 12.0000, '', '2026-11-28 22:56:20.392651+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (6, 1, '01a2245f-afc1-75c7-bd58-2b4c2f389f17', 'reserve', 12.0000, '', '2026-11-28 22:56:20.417631+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (7, 1, '01a2245f-afea-7754-9b46-674fb353b792', 'reserve', 12.0000, '', '2026-11-28 22:56:20.459614+00');
INSERT INTO public.ledger OVERRIDING SYSTEM VALUE VALUES (8, 1, '01a2245f-b001-70f8-8bf4-9ece6a7dc8e9', 'reserve', 12.0000, '', '2026-11-28 22:56:20.481434+00');


--
-- Data for Name: migration; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.migration VALUES ('0001_tasks.sql', '2026-11-28 22:54:56.366072+00');
INSERT INTO public.migration VALUES ('0002_platform.sql', '2026-11-28 22:54:56.473994+00');
INSERT INTO public.migration VALUES ('0003_console.sql', '2026-11-28 22:54:56.763684+00');
INSERT INTO public.migration VALUES ('0004_faults.sql', '2026-11-28 22:54:56.798097+00');
INSERT INTO public.migration VALUES ('0005_rates.sql', '2026-11-28 22:54:56.815018+00');
INSERT INTO public.migration VALUES ('0006_metrics.sql', '2026-11-28 22:54:56.830217+00');
INSERT INTO public.migration VALUES ('0007_states.sql', '2026-11-28 22:54:56.849864+00');
INSERT INTO public.migration VALUES ('0008_identities.sql', '2026-11-28 22:54:56.87405+00');
INSERT INTO public.migration VALUES ('0009_strays.sql', '2026-11-28 22:54:56.894115+00');
INSERT INTO public.migration VALUES ('0010_installation.sql', '2026-11-28 22:54:56.89892+00');
INSERT INTO public.migration VALUES ('0011_histograms.sql', '2026-11-28 22:54:56.919159+00');
INSERT INTO public.migration VALUES ('0012_creates_together.sql', '2026-11-28 22:54:56.949364+00');
INSERT INTO public.migration VALUES ('0013_plain_creates.sql', '2026-11-28 22:54:56.958218+00');
INSERT INTO public.migration VALUES ('0014_webhook_rotations.sql', '2026-11-28 22:54:56.968705+00');


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: sign_in_link; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.sign_in_link VALUES ('\x945a4236c83f644b5aceda0376a40c4e4ff92e8c6f944d2981752e51211809b0', 1, 'operator', '2026-11-28 23:54:57.293809+00');


--
-- Data for Name: switched_off; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: tally; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: tally_bound; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: task; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.task VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'success', 'api', 12.0000, 1, 'done', NULL, NULL, '{"code": 200, "message": "success", "media_info": {"fps": 25.0, "audio": true, "width": 264, "frames": 26, "height": 216, "renderer": "puppet", "warnings": [{"code": "background_unseen", "message": "48% of the picture behind the person is never seen in the video and was made up."}], "duration_s": 1.04}, "media_keys": ["results/1/01a2245e-9a76-7a23-8e51-4b315bf1fa56.mp4"]}', false, NULL, 1, '2026-11-28 22:55:09.495393+00', '2026-11-28 22:55:38.555939+00', '2026-11-28 22:56:18.594879+00', NULL, NULL, 1, 23, 'vm:26089:875d5071', '2026-11-29 22:55:09.51178+00', 'results/1/01a2245e-9a76-7a23-8e51-4b315bf1fa56.jpg', '2026-12-05 22:56:18.594879+00', NULL, NULL);
INSERT INTO public.task VALUES ('01a2245f-afa6-7a2c-a692-55433bc25a32', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'pending', 'api', 12.0000, 0, 'queued', NULL, NULL, NULL, false, NULL, 0, '2026-11-28 22:56:20.392651+00', NULL, NULL, NULL, NULL, 3, 1, NULL, '2026-11-29 22:56:20.393574+00', NULL, NULL, NULL, NULL);
INSERT INTO public.task VALUES ('01a2245f-afc1-75c7-bd58-2b4c2f389f17', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'pending', 'api', 12.0000, 0, 'queued', NULL, NULL, NULL, false, NULL, 0, '2026-11-28 22:56:20.417631+00', NULL, NULL, NULL, NULL, 4, 1, NULL, '2026-11-29 22:56:20.41831+00', NULL, NULL, NULL, NULL);
INSERT INTO public.task VALUES ('01a2245f-afea-7754-9b46-674fb353b792', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'pending', 'api', 12.0000, 0, 'queued', NULL, NULL, NULL, false, NULL, 0, '2026-11-28 22:56:20.459614+00', NULL, NULL, NULL, NULL, 5, 1, NULL, '2026-11-29 22:56:20.460646+00', NULL, NULL, NULL, NULL);
INSERT INTO public.task VALUES ('01a2245f-b001-70f8-8bf4-9ece6a7dc8e9', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'pending', 'api', 12.0000, 0, 'queued', NULL, NULL, NULL, false, NULL, 0, '2026-11-28 22:56:20.481434+00', NULL, NULL, NULL, NULL, 6, 1, NULL, '2026-11-29 22:56:20.482235+00', NULL, NULL, NULL, NULL);
INSERT INTO public.task VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 1, 'wan/2-2-animate-replace', '{"input": {"img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"]}, "model": "wan/2-2-animate-replace"}', '{"seed": 0, "shift": 5.0, "person": 0, "prompt": "", "img_urls": ["http://127.0.0.1:8000/files/uploads/1/7addc094-b91b-47fb-9f0e-714260f0cf75.png?expires=1796511306&signature=9b20f567104be6314d5608538b45973992d3c13c08223f6e2b92f93907e7b5f4"], "renderer": "auto", "keep_audio": true, "resolution": "480P", "video_urls": ["http://127.0.0.1:8000/files/uploads/1/3c6f6205-da69-4fde-b159-9a8e871a4796.mp4?expires=1796511308&signature=f4e716ce25e3abd42ad5e31b4b9b8c275d854e0e64a390dda29ecc311080b7ca"], "guidance_scale": 1.0, "num_inference_steps": 20}', 'running', 'api', 12.0000, 0.55, 'prepare', NULL, NULL, NULL, false, NULL, 1, '2026-11-28 22:56:20.278667+00', '2026-11-28 22:56:20.687723+00', NULL, NULL, NULL, 2, 11, 'vm:26089:875d5071', '2026-11-29 22:56:20.290462+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: task_stage; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'queued', '2026-11-28 22:55:09.495393+00', 29.060546);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'fetch', '2026-11-28 22:55:38.604917+00', 0.02018591899832245);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'probe', '2026-11-28 22:55:38.682529+00', 5.787456136000401);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'perceive', '2026-11-28 22:55:44.511219+00', 12.958435278000252);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'prepare', '2026-11-28 22:55:57.530188+00', 16.210699875999126);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'render', '2026-11-28 22:56:13.787574+00', 4.001124897997215);
INSERT INTO public.task_stage VALUES ('01a2245e-9a76-7a23-8e51-4b315bf1fa56', 'mux', '2026-11-28 22:56:17.805282+00', 0.17300755999895046);
INSERT INTO public.task_stage VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'queued', '2026-11-28 22:56:20.278667+00', 0.409056);
INSERT INTO public.task_stage VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'fetch', '2026-11-28 22:56:20.758448+00', 0.0062157490028766915);
INSERT INTO public.task_stage VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'probe', '2026-11-28 22:56:20.810758+00', 5.62792367899965);
INSERT INTO public.task_stage VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'perceive', '2026-11-28 22:56:26.482625+00', 15.859370195001247);
INSERT INTO public.task_stage VALUES ('01a2245f-af1f-7609-bd67-3ded418b2c17', 'prepare', '2026-11-28 22:56:42.374638+00', 16.78093165199971);


--
-- Data for Name: transfer_kind; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.transfer_kind VALUES ('grant', 'issued', 'available');
INSERT INTO public.transfer_kind VALUES ('revoke', 'available', 'issued');
INSERT INTO public.transfer_kind VALUES ('reserve', 'available', 'reserved');
INSERT INTO public.transfer_kind VALUES ('release', 'reserved', 'available');
INSERT INTO public.transfer_kind VALUES ('charge', 'reserved', 'earned');


--
-- Data for Name: usage_day; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.usage_day VALUES (1, '2026-11-28', 'wan/2-2-animate-replace', 1, 0, 12.0000);


--
-- Name: account_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.account_id_seq', 2, true);


--
-- Name: api_key_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.api_key_id_seq', 1, true);


--
-- Name: delivery_try_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.delivery_try_id_seq', 1, false);


--
-- Name: ledger_id_seq1; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.ledger_id_seq1', 8, true);


--
-- Name: application_versions application_versions_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_pkey PRIMARY KEY (version_id);


--
-- Name: application_versions application_versions_version_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_version_name_key UNIQUE (version_name);


--
-- Name: dbos_migrations dbos_migrations_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.dbos_migrations
    ADD CONSTRAINT dbos_migrations_pkey PRIMARY KEY (version);


--
-- Name: event_dispatch_kv event_dispatch_kv_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.event_dispatch_kv
    ADD CONSTRAINT event_dispatch_kv_pkey PRIMARY KEY (service_name, workflow_fn_name, key);


--
-- Name: notifications notifications_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (message_uuid);


--
-- Name: operation_outputs operation_outputs_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.operation_outputs
    ADD CONSTRAINT operation_outputs_pkey PRIMARY KEY (workflow_uuid, function_id);


--
-- Name: queues queues_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);


--
-- Name: queues queues_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);


--
-- Name: streams streams_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (workflow_uuid, key, "offset");


--
-- Name: workflow_events_history workflow_events_history_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_pkey PRIMARY KEY (workflow_uuid, function_id, key);


--
-- Name: workflow_events workflow_events_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_pkey PRIMARY KEY (workflow_uuid, key);


--
-- Name: workflow_input workflow_input_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_input
    ADD CONSTRAINT workflow_input_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_output workflow_output_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_output
    ADD CONSTRAINT workflow_output_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_schedules workflow_schedules_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_pkey PRIMARY KEY (schedule_id);


--
-- Name: workflow_schedules workflow_schedules_schedule_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_schedule_name_key UNIQUE (schedule_name);


--
-- Name: workflow_status workflow_status_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_status
    ADD CONSTRAINT workflow_status_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: account account_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_name_key UNIQUE (name);


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);


--
-- Name: api_key api_key_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_id_key UNIQUE (id);


--
-- Name: api_key api_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_hash);


--
-- Name: chore chore_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chore
    ADD CONSTRAINT chore_pkey PRIMARY KEY (name);


--
-- Name: delivery delivery_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);


--
-- Name: delivery_try delivery_try_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_try
    ADD CONSTRAINT delivery_try_pkey PRIMARY KEY (id);


--
-- Name: dispatch dispatch_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.dispatch
    ADD CONSTRAINT dispatch_pkey PRIMARY KEY (single);


--
-- Name: executor executor_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.executor
    ADD CONSTRAINT executor_pkey PRIMARY KEY (id);


--
-- Name: gauge gauge_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.gauge
    ADD CONSTRAINT gauge_pkey PRIMARY KEY (process, name, label);


--
-- Name: identity identity_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (issuer, subject);


--
-- Name: installation installation_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (name);


--
-- Name: ledger ledger_pkey1; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey1 PRIMARY KEY (id);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (token_hash);


--
-- Name: sign_in_link sign_in_link_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sign_in_link
    ADD CONSTRAINT sign_in_link_pkey PRIMARY KEY (token_hash);


--
-- Name: switched_off switched_off_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.switched_off
    ADD CONSTRAINT switched_off_pkey PRIMARY KEY (name);


--
-- Name: tally_bound tally_bound_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tally_bound
    ADD CONSTRAINT tally_bound_pkey PRIMARY KEY (name, bound);


--
-- Name: tally tally_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tally
    ADD CONSTRAINT tally_pkey PRIMARY KEY (name, label, bound);


--
-- Name: task task_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (id);


--
-- Name: task_stage task_stage_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.task_stage
    ADD CONSTRAINT task_stage_pkey PRIMARY KEY (task_id, stage);


--
-- Name: transfer_kind transfer_kind_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.transfer_kind
    ADD CONSTRAINT transfer_kind_pkey PRIMARY KEY (kind);


--
-- Name: usage_day usage_day_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_day
    ADD CONSTRAINT usage_day_pkey PRIMARY KEY (account_id, day, model);


--
-- Name: idx_application_versions_owner_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_owner_timestamp ON dbos.application_versions USING btree (application_name, version_timestamp DESC);


--
-- Name: idx_application_versions_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_timestamp ON dbos.application_versions USING btree (version_timestamp DESC);


--
-- Name: idx_operation_outputs_completed_at_function_name_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON dbos.operation_outputs USING btree (completed_at_epoch_ms, function_name) INCLUDE (application_name);


--
-- Name: idx_operation_outputs_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_retention ON dbos.operation_outputs USING btree (retention_timestamp);


--
-- Name: idx_workflow_input_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_input_retention ON dbos.workflow_input USING btree (retention_timestamp);


--
-- Name: idx_workflow_output_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_output_retention ON dbos.workflow_output USING btree (retention_timestamp);


--
-- Name: idx_workflow_status_attributes; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_attributes ON dbos.workflow_status USING gin (attributes) WHERE (attributes IS NOT NULL);


--
-- Name: idx_workflow_status_completed_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_completed_at ON dbos.workflow_status USING btree (completed_at) WHERE (completed_at IS NOT NULL);


--
-- Name: idx_workflow_status_deadline; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_deadline ON dbos.workflow_status USING btree (workflow_deadline_epoch_ms) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text, 'DELAYED'::text])) AND (workflow_deadline_epoch_ms IS NOT NULL));


--
-- Name: idx_workflow_status_delayed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_delayed ON dbos.workflow_status USING btree (delay_until_epoch_ms) WHERE (status = 'DELAYED'::text);


--
-- Name: idx_workflow_status_failed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_failed ON dbos.workflow_status USING btree (status, created_at) WHERE (status = ANY (ARRAY['ERROR'::text, 'CANCELLED'::text, 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'::text]));


--
-- Name: idx_workflow_status_forked_from; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_forked_from ON dbos.workflow_status USING btree (forked_from) WHERE (forked_from IS NOT NULL);


--
-- Name: idx_workflow_status_in_flight_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_in_flight_v2 ON dbos.workflow_status USING btree (queue_name, status, priority, created_at) INCLUDE (application_name) WHERE (status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text]));


--
-- Name: idx_workflow_status_parent_workflow_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_parent_workflow_id ON dbos.workflow_status USING btree (parent_workflow_id) WHERE (parent_workflow_id IS NOT NULL);


--
-- Name: idx_workflow_status_partition_dequeue_v3; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON dbos.workflow_status USING btree (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text])) AND (queue_partition_key IS NOT NULL));


--
-- Name: idx_workflow_status_pending; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_pending ON dbos.workflow_status USING btree (created_at) WHERE (status = 'PENDING'::text);


--
-- Name: idx_workflow_status_rate_limited; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_rate_limited ON dbos.workflow_status USING btree (queue_name, started_at_epoch_ms) WHERE (rate_limited = true);


--
-- Name: idx_workflow_status_schedule_name; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_schedule_name ON dbos.workflow_status USING btree (schedule_name) WHERE (schedule_name IS NOT NULL);


--
-- Name: idx_workflow_status_started_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_started_at ON dbos.workflow_status USING btree (started_at_epoch_ms) WHERE (started_at_epoch_ms IS NOT NULL);


--
-- Name: idx_workflow_topic; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_topic ON dbos.notifications USING btree (destination_uuid, topic);


--
-- Name: uq_application_versions_owner_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_owner_version ON dbos.application_versions USING btree (application_name, version_name) WHERE (application_name IS NOT NULL);


--
-- Name: uq_application_versions_unclaimed_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON dbos.application_versions USING btree (version_name) WHERE (application_name IS NULL);


--
-- Name: uq_workflow_status_dedup_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON dbos.workflow_status USING btree (queue_name, deduplication_id) WHERE (deduplication_id IS NOT NULL);


--
-- Name: workflow_status_created_at_index; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX workflow_status_created_at_index ON dbos.workflow_status USING btree (created_at);


--
-- Name: api_key_by_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_key_by_account ON public.api_key USING btree (account_id, id);


--
-- Name: delivery_by_task; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX delivery_by_task ON public.delivery USING btree (task_id);


--
-- Name: delivery_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX delivery_due ON public.delivery USING btree (next_try_at) WHERE (status = 'pending'::text);


--
-- Name: delivery_try_by_delivery; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX delivery_try_by_delivery ON public.delivery_try USING btree (delivery_id, id);


--
-- Name: ledger_by_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ledger_by_account ON public.ledger USING btree (account_id, id DESC);


--
-- Name: ledger_by_task; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ledger_by_task ON public.ledger USING btree (task_id);


--
-- Name: session_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX session_expiry ON public.session USING btree (expires_at);


--
-- Name: sign_in_link_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sign_in_link_expiry ON public.sign_in_link USING btree (expires_at);


--
-- Name: task_by_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_by_account ON public.task USING btree (account_id, id DESC);


--
-- Name: task_failed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_failed ON public.task USING btree (id DESC) WHERE (status = 'failed'::text);


--
-- Name: task_failed_by_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_failed_by_account ON public.task USING btree (account_id, id DESC) WHERE (status = 'failed'::text);


--
-- Name: task_idempotency; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX task_idempotency ON public.task USING btree (account_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);


--
-- Name: task_over; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_over ON public.task USING btree (completed_at) WHERE (completed_at IS NOT NULL);


--
-- Name: task_overdue; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_overdue ON public.task USING btree (deadline_at) WHERE ((status = ANY (ARRAY['pending'::text, 'running'::text])) AND (deadline_at < 'infinity'::timestamp with time zone));


--
-- Name: task_running; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_running ON public.task USING btree (executor) WHERE (status = 'running'::text);


--
-- Name: task_to_expire; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_to_expire ON public.task USING btree (media_expires_at) WHERE ((media_expires_at IS NOT NULL) AND (media_deleted_at IS NULL));


--
-- Name: task_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX task_waiting ON public.task USING btree (turn, created_at) WHERE (status = 'pending'::text);


--
-- Name: ledger_difference _RETURN; Type: RULE; Schema: public; Owner: -
--

CREATE OR REPLACE VIEW public.ledger_difference AS
 WITH book AS (
         SELECT posting.account_id,
            posting.book,
            sum(posting.amount) AS amount
           FROM public.posting
          GROUP BY posting.account_id, posting.book
        ), task_book AS (
         SELECT posting.task_id,
            sum(posting.amount) FILTER (WHERE (posting.book = 'reserved'::text)) AS reserved,
            sum(posting.amount) FILTER (WHERE (posting.book = 'earned'::text)) AS earned
           FROM public.posting
          WHERE (posting.task_id IS NOT NULL)
          GROUP BY posting.task_id
        )
 SELECT a.id AS account_id,
    NULL::uuid AS task_id,
    'available'::text AS what,
    a.balance AS stored,
    COALESCE(b.amount, (0)::numeric) AS by_ledger
   FROM (public.account a
     LEFT JOIN book b ON (((b.account_id = a.id) AND (b.book = 'available'::text))))
  WHERE (a.balance <> COALESCE(b.amount, (0)::numeric))
UNION ALL
 SELECT a.id AS account_id,
    NULL::uuid AS task_id,
    'reserved'::text AS what,
    a.reserved AS stored,
    COALESCE(b.amount, (0)::numeric) AS by_ledger
   FROM (public.account a
     LEFT JOIN book b ON (((b.account_id = a.id) AND (b.book = 'reserved'::text))))
  WHERE (a.reserved <> COALESCE(b.amount, (0)::numeric))
UNION ALL
 SELECT a.id AS account_id,
    NULL::uuid AS task_id,
    'active tasks'::text AS what,
    a.active AS stored,
    count(t.id) AS by_ledger
   FROM (public.account a
     LEFT JOIN public.task t ON (((t.account_id = a.id) AND (t.status = ANY (ARRAY['pending'::text, 'running'::text])))))
  GROUP BY a.id
 HAVING (a.active <> count(t.id))
UNION ALL
 SELECT t.account_id,
    t.id AS task_id,
    'reserved for the task'::text AS what,
        CASE
            WHEN (t.status = ANY (ARRAY['pending'::text, 'running'::text])) THEN t.credits
            ELSE (0)::numeric
        END AS stored,
    COALESCE(b.reserved, (0)::numeric) AS by_ledger
   FROM (public.task t
     LEFT JOIN task_book b ON ((b.task_id = t.id)))
  WHERE (COALESCE(b.reserved, (0)::numeric) <>
        CASE
            WHEN (t.status = ANY (ARRAY['pending'::text, 'running'::text])) THEN t.credits
            ELSE (0)::numeric
        END)
UNION ALL
 SELECT t.account_id,
    t.id AS task_id,
    'charged for the task'::text AS what,
        CASE
            WHEN (t.status = 'success'::text) THEN t.credits
            ELSE (0)::numeric
        END AS stored,
    COALESCE(b.earned, (0)::numeric) AS by_ledger
   FROM (public.task t
     LEFT JOIN task_book b ON ((b.task_id = t.id)))
  WHERE (COALESCE(b.earned, (0)::numeric) <>
        CASE
            WHEN (t.status = 'success'::text) THEN t.credits
            ELSE (0)::numeric
        END);


--
-- Name: notifications dbos_notifications_trigger; Type: TRIGGER; Schema: dbos; Owner: -
--

CREATE TRIGGER dbos_notifications_trigger AFTER INSERT ON dbos.notifications FOR EACH ROW EXECUTE FUNCTION dbos.notifications_function();


--
-- Name: ledger ledger_counted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE CONSTRAINT TRIGGER ledger_counted AFTER INSERT ON public.ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.kind <> 'reserve'::text)) EXECUTE FUNCTION public.count_credits();


--
-- Name: notifications notifications_destination_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_destination_uuid_fkey FOREIGN KEY (destination_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: streams streams_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events_history workflow_events_history_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events workflow_events_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: api_key api_key_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- Name: delivery delivery_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- Name: delivery delivery_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.task(id) ON DELETE CASCADE;


--
-- Name: delivery_try delivery_try_delivery_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_try
    ADD CONSTRAINT delivery_try_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.delivery(id) ON DELETE CASCADE;


--
-- Name: identity identity_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- Name: session session_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- Name: sign_in_link sign_in_link_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sign_in_link
    ADD CONSTRAINT sign_in_link_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- Name: task_stage task_stage_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.task_stage
    ADD CONSTRAINT task_stage_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.task(id) ON DELETE CASCADE;


--
-- Name: usage_day usage_day_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_day
    ADD CONSTRAINT usage_day_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);


--
-- PostgreSQL database dump complete
--


