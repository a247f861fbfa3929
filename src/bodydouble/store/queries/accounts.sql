-- name: account_for_key
-- Whose key this is.
select k.id as key_id, k.name as key_name, k.prefix, k.scope, k.disabled as key_disabled, k.created_at as key_created_at,
    k.last_used_at, k.expires_at, a.name as account_name, a.balance, a.reserved, a.active, a.disabled,
    a.creates_per_minute, a.active_max, a.label, a.webhook_generation, a.webhook_rotations, a.id as owner_id
from api_key as k join account as a on a.id = k.account_id
where k.key_hash = $1;

-- name: touch_keys
-- These keys were used.
update api_key set last_used_at = now() where key_hash = any ($1::bytea[]);

-- name: get_account
-- One account with its balance.
select * from account where id = $1;

-- name: find_account
-- One account by its name.
select * from account where name = $1;

-- name: make_account
-- An account of this name, unless there is one.
insert into account (name) values ($1) on conflict (name) do nothing;

-- name: list_accounts
-- Everybody.
select * from account order by name;

-- name: set_limits
-- Limits of an account's own; null is the installation's setting.
update account set creates_per_minute = $2, active_max = $3, disabled = $4 where id = $1 returning *;

-- name: set_label
-- The visible label of an account's results, for tasks created from now on.
update account set label = $2 where id = $1 returning *;

-- name: ledger_entry
-- A transfer that no task made.
insert into ledger (account_id, kind, amount, memo) values ($1, $2, $3, $4);

-- name: change_balance
-- The balance's side of it; no row where it would go below nothing.
update account set balance = balance + $2 where id = $1 and balance + $2 >= 0 returning *;

-- name: forget_keys
-- An account's keys that ended over a day ago.
delete from api_key where account_id = $1 and expires_at < now() - interval '1 day';

-- name: lock_account
-- Concurrent changes of the account wait until the transaction ends.
select from account where id = $1 for no key update;

-- name: count_open_keys
-- How many keys of an account have not ended. Disabled keys count: they can be enabled again.
select count(*) from api_key where account_id = $1 and (expires_at is null or expires_at > now());

-- name: add_key
-- A new key, by its hash.
insert into api_key (key_hash, account_id, prefix, name, scope, expires_at) values ($1, $2, $3, $4, $5, $6)
returning *;

-- name: list_keys
-- An account's keys, or everybody's where it is null, oldest first.
select * from api_key where $1::bigint is null or account_id = $1 order by id;

-- name: get_key
-- One key of an account.
select * from api_key where account_id = $1 and id = $2;

-- name: set_key_disabled
-- Switch a key off or on.
update api_key set disabled = $3 where account_id = $1 and id = $2 returning *;

-- name: expire_key
-- A key ends after a grace, or when it would have ended anyway.
update api_key set expires_at = least(expires_at, now() + make_interval(secs => $3))
where account_id = $1 and id = $2 returning *;

-- name: count_keys
-- How many keys there are; none on the very first start.
select count(*) from api_key;

-- name: rotate_webhook_secret
-- One more generation of the secret that signs an account's callbacks; as many rotations as may matter are remembered.
update account set webhook_generation = webhook_generation + 1,
    webhook_rotations = (array_prepend(now(), webhook_rotations))[:$2::int]
where id = $1 returning *;

-- name: ledger_page
-- What moved an account's credits, newest first.
select * from ledger where account_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3;

-- name: task_ledger
-- Every transfer of one task, oldest first.
select * from ledger where task_id = $1 order by id;

-- name: ledger_differences
-- What does not agree with the ledger: there must be nothing.
select * from ledger_difference order by account_id, task_id;

-- name: usage
-- What an account used, by day and model.
select * from usage_day where account_id = $1 and day > (now() at time zone 'utc')::date - $2::int
order by day desc, model;

-- name: ping
-- Does the database answer?
select 1;
