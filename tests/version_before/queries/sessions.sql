-- name: add_link
-- A link that signs somebody in once.
insert into sign_in_link (token_hash, account_id, role, expires_at)
values ($1, $2, $3, now() + make_interval(secs => $4));

-- name: redeem_link
-- The link ends and a session begins, or neither; of two who use one link at the same moment one gets in.
with link as (
    delete from sign_in_link where token_hash = $1 and expires_at > now() returning account_id, role
)
insert into session (token_hash, account_id, role, expires_at)
select $2, account_id, role, now() + make_interval(secs => $3) from link
returning token_hash;

-- name: add_session
-- Somebody whom another service has vouched for.
insert into session (token_hash, account_id, role, expires_at)
values ($1, $2, $3, now() + make_interval(secs => $4));

-- name: get_session
-- Whose session this is.
select s.role, s.expires_at, a.* from session as s join account as a on a.id = s.account_id
where s.token_hash = $1 and s.expires_at > now();

-- name: end_session
-- Signed out.
delete from session where token_hash = $1;

-- name: clear_sessions
-- What has expired is of no use to anybody.
with links as (delete from sign_in_link where expires_at < now())
delete from session where expires_at < now();
