//! The vocabulary of enforcement: parties, penalties, the case that joins them, and clues to violations.
#![deny(clippy::wildcard_enum_match_arm)]

mod case;
mod clue;
mod penalty;

use onenet_standards::Uscc;

pub use case::{Case, CaseCommand, CaseEvent, CaseRejection};
pub use clue::{
    Addressing, AddressingGround, Clue, ClueCommand, ClueEvent, ClueRejection, OverdueDanger,
    clue_id,
};
pub use penalty::{Fine, Penalty, PenaltyKind};

/// The party (当事人) of a case, as the register had it on the day the case was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its code.
    pub uscc: Uscc,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: PartyKind,
    /// Its division (行政区划代码).
    pub division: String,
    /// Its industry (GB/T 4754).
    pub industry: String,
}

/// What a party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyKind {
    /// 生产经营单位.
    Unit,
    /// 安全评价、认证、检测、检验机构.
    Institution,
}
