-- Clues as they were recorded. `view` is the protobuf message that queries answer (Clue); the other
-- columns are what they filter by.
create table clues (
    clue_id text collate "C" primary key,
    enterprise text collate "C" not null,
    organ text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    view bytea not null
);
create index clues_by_organ on clues (organ, clue_id);
create index clues_by_division on clues (division, clue_id);
