-- Every rotation of an account's webhook secret that may still matter, the newest first: each secret signs for its own
-- day after it was rotated, however many follow. webhook_rotated_at stays for API processes of the version before, which
-- read it with every request: a command of this version brings the database up to date beside them.

alter table account add column webhook_rotations timestamptz[] not null default '{}';
update account set webhook_rotations = array[webhook_rotated_at] where webhook_rotated_at is not null;
