-- Replace the credits reserved for a task by its exact price. Returns false if the balance is too low.
create or replace function reserve_exactly(p_id uuid, p_price numeric) returns boolean language plpgsql as $$
declare
    t task;
    more numeric;
begin
    select * into t from task where id = p_id and status in ('pending', 'running') for update;
    if not found or t.credits = p_price then
        return true;
    end if;
    more := p_price - t.credits;
    update account set balance = balance - more, reserved = reserved + more
    where id = t.account_id and balance >= more;
    if not found then
        return false;
    end if;
    update task set credits = p_price, version = version + 1 where id = p_id;
    insert into ledger (account_id, task_id, kind, amount, memo)
    values (t.account_id, p_id, case when more > 0 then 'reserve' else 'release' end, abs(more), 'exact price');
    return true;
end $$;
