-- Trigger function: count the credits of each ledger row by kind, except reservations.
create or replace function count_credits() returns trigger language plpgsql as $$
begin
    perform count_value('credits', new.kind, new.amount::double precision);
    return null;
end $$;

-- Deferred to the commit, after every other lock: a transaction that waits for the counter's row holds no lock that
-- another transaction waits for.
do $$
begin
    if not exists (select from pg_trigger where tgrelid = 'ledger'::regclass and tgname = 'ledger_counted') then
        create constraint trigger ledger_counted after insert on ledger deferrable initially deferred
        for each row when (new.kind <> 'reserve') execute function count_credits();
    end if;
end $$;
