-- What the metrics say of credits and processes.

-- What each process says of itself right now; who is gone has no fresh rows. Nothing to keep over a crash.
create unlogged table gauge (
    process  text not null,
    name     text not null,
    label    text not null default '',
    value    double precision not null,
    at       timestamptz not null default now(),
    primary key (process, name, label)
);

-- Credits moved, by kind. A reservation is not counted: with every create adding to one row, they would wait for each
-- other. It follows from the books: what was reserved is still reserved, or was released or charged.
insert into tally (name, label, count, total)
select 'credits', kind, count(*), sum(amount) from ledger where kind <> 'reserve' group by kind;
