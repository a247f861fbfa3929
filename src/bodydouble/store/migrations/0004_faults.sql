-- Periodic chores. One process does each chore for all; the first process that finds it due takes it.

create table chore (
    name    text primary key,
    due_at  timestamptz not null
);
