-- Lists by state, however many tasks an account has.

-- Failures are few among very many successes: a list of them would read the successes between. Who runs and who waits
-- is found by task_running and task_waiting, and successes by walking the account's tasks.
create index task_failed_by_account on task (account_id, id desc) where status = 'failed';
create index task_failed on task (id desc) where status = 'failed';

-- No account is ever deleted, and create_task has just found it. The reference would have every create lock the
-- account's row a second time, in a way that the creates of a busy account share, which costs each of them.
alter table task drop constraint task_account_id_fkey;
