-- What credit answers queries from. `view` is the protobuf message that is answered; the other
-- columns are what it is found and filtered by.

-- CreditCaseView. The version in it is that of the subject's stream, so every event of a subject
-- writes all its cases.
create table credit_cases (
    credit_case_id text collate "C" primary key,
    subject text collate "C" not null,
    organ text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    state integer not null,
    view bytea not null
);
create index credit_cases_by_subject on credit_cases (subject, credit_case_id);
create index credit_cases_by_division on credit_cases (division, credit_case_id);

-- GetPenaltyJudgementResponse: what became of a penalty.
create table penalty_judgements (
    penalty_case_id text collate "C" primary key,
    subject text collate "C" not null,
    view bytea not null
);

-- BlacklistRecord: what the blacklist topic holds of a subject.
create table blacklist (
    subject text collate "C" primary key,
    view bytea not null
);
