-- name: account_for_key
-- Whose key this is.
select a.id, a.name, a.balance, k.prefix, k.disabled, k.created_at
from api_key as k join account as a on a.id = k.account_id
where k.key_hash = $1;

-- name: get_account
-- One account with its balance.
select id, name, balance from account where id = $1;

-- name: ensure_account
-- The account of this name, made where there is none.
with made as (insert into account (name) values ($1) on conflict (name) do nothing returning id, name, balance)
select * from made union all select id, name, balance from account where name = $1 limit 1;

-- name: grant_entry
-- Credits given to an account: the ledger's side.
insert into ledger (account_id, kind, amount, memo) values ($1, 'grant', $2, $3);

-- name: grant_balance
-- Credits given to an account: the balance's side.
update account set balance = balance + $2 where id = $1;

-- name: add_key
-- A new key, by its hash.
insert into api_key (key_hash, account_id, prefix) values ($1, $2, $3);

-- name: count_keys
-- How many keys there are; none on the very first start.
select count(*) from api_key;

-- name: ledger_differences
-- Accounts whose balance is not the sum of their ledger: there must be none.
select a.id, a.balance, coalesce(sum(l.amount), 0) as ledger_sum
from account as a left join ledger as l on l.account_id = a.id
group by a.id having a.balance <> coalesce(sum(l.amount), 0);
