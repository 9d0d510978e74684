//! Credit (失信联合惩戒): which penalties lead to the list of seriously dishonest subjects
//! (安全生产严重失信主体名单, 应急管理部令第11号), and how a listing begins and ends.
//!
//! Two aggregates. [`DishonestSubject`](domain::DishonestSubject), one stream per subject
//! (`dishonest_subject-<USCC>`) with all its credit cases, so that each event that leaves the node can
//! carry the subject's whole public entry. [`ListingReader`](domain::ListingReader), one stream per reader of the
//! listings topic (`listing_reader-<USCC>`).
//!
//! | Command | From | Fact | What it means |
//! |---|---|---|---|
//! | `JudgePenalty` | reaction | `CreditCaseOpened`, `CreditCaseNotOpened` | a penalty took effect and was judged |
//! | `ProposeListing` | officer | `CreditCaseOpened` | an officer opens the case the rules left open |
//! | `ServeListingNotice` | officer | `ListingNoticeServed` | 告知: the time for a statement runs |
//! | `RecordStatement` | officer | `StatementRecorded` | 陈述、申辩 |
//! | `RescheduleStatementPeriod` | timer | `StatementPeriodRescheduled` | a holiday notice moved its end |
//! | `EndStatementPeriod` | timer | `StatementPeriodEnded` | the organ may decide |
//! | `DecideListing` | officer | `ListingDecided` | 列入决定 or 不予列入, without effect yet |
//! | `ServeListingDecision` | officer | `SubjectListed` | 送达: the listing is in force |
//! | `RemoveListing` | officer | `SubjectRemoved` | 移出 before the end of the term |
//! | `ExpireListing` | timer | `SubjectRemoved` | 移出: the term has ended |
//! | `AcknowledgeListings` | agency | `ListingsAcknowledged` | a reader has applied a range of facts |
//!
//! Invariants:
//!
//! * the organ that decided the penalty decides the listing, and no other (谁处罚、谁决定、谁负责);
//! * a penalty opens one case at most, and a case leads to one listing at most, with the case's id;
//! * nothing is decided before the last day of the statement period is over;
//! * a listing lasts as long as its rule set says; the figures are data of the rule set;
//! * a listing never ends another: the entry holds every listing in force, oldest first;
//! * the same step again, unchanged, changes nothing;
//! * a reader acknowledges what it holds, not what it was sent: its digest has to be the log's, and its ranges
//!   follow each other without a gap. A removal is open until every configured reader has;
//! * a timer is never refused: a deadline that no longer fits is none.
//!
//! `SubjectListed` and `SubjectRemoved` go out; they hold decided facts and nothing of the inner
//! history. Every event that arms, meets or passes a deadline carries its
//! [`Obligation`](domain::Obligation). Days end at 24:00 Beijing time.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;
mod listings;

pub use adapters::context;
