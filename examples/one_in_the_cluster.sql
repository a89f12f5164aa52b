-- The tables of `one_in_the_cluster`: create them once, in the database that
-- the leader writes to.

-- One row. Whoever gets the lock counts its epoch up; a write locks the row,
-- so it cannot fall between two epochs.
create table leadership (
    only_row boolean primary key default true check (only_row),
    epoch bigint not null default 0
);
insert into leadership default values;

-- What the leader writes. The epoch is kept to show who wrote what.
create table readings (
    id bigint primary key generated always as identity,
    epoch bigint not null,
    load text not null
);
