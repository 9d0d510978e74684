-- Where each epoch of the log but the first begins: above which position. A position of an older epoch
-- names the event that stands there if it is not above that; otherwise what stood there is gone.
create table epochs (
    epoch integer primary key check (epoch > 1),
    above bigint not null check (above >= 0),
    raised_at timestamptz not null default clock_timestamp()
);
