-- Count one value in the histogram bucket that it belongs to.
create or replace function count_value(p_name text, p_label text, p_value double precision) returns void
language sql as $$
    insert into tally (name, label, bound, count, total)
    select p_name, p_label, coalesce(min(bound), 'infinity'), 1, p_value
    from tally_bound where name = p_name and bound >= p_value
    on conflict (name, label, bound) do update set count = tally.count + 1, total = tally.total + excluded.total;
$$;
