-- The visible label of an account's results, and of each task's account at the moment of its create.

alter table account add column label text not null default 'none' check (label in ('none', 'eu', 'china', 'both'));
alter table task add column account_label text not null default 'none';
