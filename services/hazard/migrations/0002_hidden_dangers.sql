-- Hidden dangers as they stand. `view` is the protobuf message that queries answer (HiddenDangerView);
-- the other columns are what they filter by.
create table hidden_dangers (
    hidden_danger_id text collate "C" primary key,
    enterprise text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    grade integer not null,
    state integer not null,
    is_overdue boolean not null,
    view bytea not null
);
create index hidden_dangers_by_enterprise on hidden_dangers (enterprise, hidden_danger_id);
create index hidden_dangers_by_division on hidden_dangers (division, hidden_danger_id);
