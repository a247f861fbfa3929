-- Whose account it is, where another service vouches for people (OpenID Connect).

create table identity (
    issuer      text not null,
    subject     text not null,  -- the issuer's own, which never changes; names and addresses do
    account_id  bigint not null references account,
    name        text not null,  -- as it was at the last sign-in
    created_at  timestamptz not null default now(),
    seen_at     timestamptz not null default now(),
    primary key (issuer, subject)
);
