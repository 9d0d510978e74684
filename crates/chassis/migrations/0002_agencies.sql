-- Agencies (接入单位) as exchange registers them, kept from its topic by the contexts that agencies call.
-- Exchange itself asks its own streams.

create table known_agencies (
    uscc text collate "C" primary key,
    division text collate "C" not null,
    -- SHA-256 of each certificate it may connect with
    certificates bytea[] not null
);
