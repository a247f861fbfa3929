-- name: account_names
-- Accounts whose name begins so.
select name from account where starts_with(name, $1) order by name limit 50;

-- name: key_names
-- The newest keys whose id begins so.
select id, prefix, name from api_key where starts_with(id::text, $1) order by id desc limit 50;

-- name: task_names
-- The newest tasks, of those the ones whose id begins so.
select id, status from (select id, status from task order by id desc limit 1000) as newest
where starts_with(id::text, $1) limit 50;
