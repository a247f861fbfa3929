-- name: count_value
-- Count one, and add its seconds.
select count_value($1, $2, $3);

-- name: add_counts
-- Add what a process counted since the last time. In one order everywhere, so that no two wait for each other.
insert into tally (name, label, bound, count, total)
select name, label, bound, count, total
from unnest($1::text[], $2::text[], $3::double precision[], $4::bigint[], $5::double precision[])
    as counted (name, label, bound, count, total)
order by name, label, bound
on conflict (name, label, bound) do update set
    count = tally.count + excluded.count, total = tally.total + excluded.total;

-- name: bucket_bounds
-- The upper bounds of each name's buckets.
select name, array_agg(bound order by bound) as bounds from tally_bound group by name;

-- name: counts
-- All counts, and the reservations as the books have them: what was reserved is still, or was released or charged.
select name, label, bound, count, total from tally
union all
select 'credits', 'reserve', 'infinity', 0, coalesce(sum(reserved), 0)::double precision + (
    select coalesce(sum(total), 0) from tally where name = 'credits' and label in ('release', 'charge'))
from account;

-- name: set_gauges
-- What this process says of itself.
insert into gauge (process, name, label, value)
select $1, name, label, value from unnest($2::text[], $3::text[], $4::double precision[]) as said (name, label, value)
on conflict (process, name, label) do update set value = excluded.value, at = now();

-- name: gauges
-- What processes said of themselves lately.
select process, name, label, value from gauge
where at between now() - make_interval(secs => $1) and now() + make_interval(secs => $1)
order by name, process, label;

-- name: clear_gauges
-- Processes that said nothing for so long are gone.
delete from gauge where at < now() - make_interval(secs => $1);
