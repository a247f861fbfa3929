-- name: lock_identity
-- Two first sign-ins of one person wait for each other.
select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0));

-- name: see_identity
-- Somebody who was here before: the account, and the name as it is now.
with seen as (
    update identity set name = $3, seen_at = now() where issuer = $1 and subject = $2 returning account_id
)
select a.* from account as a join seen on seen.account_id = a.id;

-- name: open_account
-- A new account; no row where the name is taken.
insert into account (name) values ($1) on conflict (name) do nothing returning *;

-- name: add_identity
-- From now on this account is theirs.
insert into identity (issuer, subject, account_id, name) values ($1, $2, $3, $4);

-- name: admit_identity
-- An operator says whose account it is.
insert into identity (issuer, subject, account_id, name) values ($1, $2, $3, '')
on conflict (issuer, subject) do update set account_id = excluded.account_id;

-- name: list_identities
-- Everybody who comes in through a provider, the last seen first.
select i.issuer, i.subject, i.name, a.name as account, i.seen_at
from identity as i join account as a on a.id = i.account_id order by i.seen_at desc;
