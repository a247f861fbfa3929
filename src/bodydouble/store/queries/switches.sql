-- name: switch_off
-- Take no new work of this name.
insert into switched_off (name, message, retry_seconds) values ($1, $2, $3)
on conflict (name) do update set message = $2, retry_seconds = $3;

-- name: switch_on
-- Take it again.
delete from switched_off where name = $1 returning name;

-- name: switched_off
-- What is off.
select * from switched_off order by name;
