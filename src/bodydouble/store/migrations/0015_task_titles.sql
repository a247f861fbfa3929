-- A name that the owner gives to a task; empty if it has none.

alter table task add column title text not null default '';
