-- Pending tasks whose request says in how many seconds they have to start. Few tasks have that.

create index task_to_start on task (created_at)
    where status = 'pending' and param #> '{dialect,options,start_timeout_seconds}' is not null;
