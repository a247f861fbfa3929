-- How seconds are spread, for quantiles: a tally for each bucket.

-- The upper bounds of a name's buckets; a value is in the first whose bound it does not exceed, else beyond the last.
-- Names without bounds have one bucket. Whoever changes bounds has to add up what was counted under the former ones.
create table tally_bound (
    name   text not null,
    bound  double precision not null,
    primary key (name, bound)
);

insert into tally_bound (name, bound)
-- A read takes milliseconds; what streams a large file takes a minute.
select 'http', unnest(array[0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]) union all
-- From a copy of a small file, or a worker that was waiting, to a night of rendering.
select name, bound from unnest(array['stage', 'task']) as name,
    unnest(array[0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400]) as bound union all
-- A receiver nearby, to one that is given up after 15 s, which is the setting's default.
select 'callback', unnest(array[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]);

-- What was counted so far is beyond the last bound: no count and no sum gets smaller.
alter table tally
    add column bound double precision not null default 'infinity',
    drop constraint tally_pkey,
    add primary key (name, label, bound);
