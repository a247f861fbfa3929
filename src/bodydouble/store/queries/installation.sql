-- name: claim_chore
-- One process in each period does it. A time beyond the period was set before the clock was set back.
insert into chore (name, due_at) values ($1, now() + make_interval(secs => $2))
on conflict (name) do update set due_at = excluded.due_at where chore.due_at <= now() or chore.due_at > clock_timestamp() + make_interval(secs => $2)
returning name;

-- name: agree
-- What the installation has under this name: what it had, else the value given.
with put as (
    insert into installation (name, value) values ($1, $2) on conflict (name) do nothing returning value
)
select value from put union all select value from installation where name = $1 limit 1;

-- name: agree_anew
-- From now on it is this.
insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value;
