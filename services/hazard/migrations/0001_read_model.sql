-- Major hazards as they stand. `view` is the protobuf message that queries answer (MajorHazardView);
-- the other columns are what they filter by.
create table major_hazards (
    hazard_id text collate "C" primary key,
    enterprise text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    level integer not null,
    filing_state integer not null,
    view bytea not null
);
create index major_hazards_by_enterprise on major_hazards (enterprise, hazard_id);
create index major_hazards_by_division on major_hazards (division, hazard_id);
