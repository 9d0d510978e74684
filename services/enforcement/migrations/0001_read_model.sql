-- Cases as they stand. `view` is the protobuf message that queries answer (CaseView); the other
-- columns are what they filter by.
create table cases (
    case_id text collate "C" primary key,
    party text collate "C" not null,
    organ text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    state integer not null,
    view bytea not null
);
create index cases_by_party on cases (party, case_id);
create index cases_by_division on cases (division, case_id);
