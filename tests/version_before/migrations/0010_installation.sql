-- What every machine of an installation has to agree on, such as a mark of the secret that signs links and callbacks.

create table installation (
    name   text primary key,
    value  text not null
);
