use std::fmt;

use uuid::Uuid;

use crate::Reader;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It stands in the log, and the reader was never shown it.
    Lost {
        /// Who was not.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown it again; in the log: a command took effect again.
    Doubled {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown it after a later event of its stream.
    Reordered {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown other bytes or another place than the log has.
    Altered {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown what is not in the log.
    Foreign {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// Numbers that a reader counts by are not 1, 2, 3 …
    Gap {
        /// Who counts.
        reader: Reader,
        /// The number that was due.
        due: u64,
        /// The number that came.
        came: u64,
    },
    /// A command was acknowledged, and the log does not hold its effect where the receipt says.
    Absent {
        /// Which.
        command: Uuid,
    },
    /// Every attempt of a command was refused, and it took effect.
    PresentThoughRefused {
        /// Which.
        command: Uuid,
        /// Its effect.
        event: Uuid,
    },
    /// An event came of a command that nobody sent.
    Unasked {
        /// Which.
        event: Uuid,
    },
    /// Two attempts of one command have different receipts.
    AnsweredDifferently {
        /// Which.
        command: Uuid,
    },
    /// A read that asked to be fresh showed less than its receipt stands for.
    Stale {
        /// What was read.
        stream: String,
        /// The version that was asked for.
        asked: u64,
        /// The version that was shown, if any.
        saw: Option<u64>,
    },
    /// A read model shows another version than the log has.
    Differs {
        /// Of what.
        stream: String,
        /// The version in the log.
        log: Option<u64>,
        /// The version shown.
        shown: Option<u64>,
    },
    /// A reader of the list is shown other listings of a subject than its listings and removals make.
    Misstated {
        /// Who is.
        reader: Reader,
        /// Of whom.
        subject: String,
        /// As of which position of the credit log; none: in the end.
        position: Option<u64>,
    },
    /// A listing has other measures than were decided, or no decision.
    Unfounded {
        /// Which.
        listing: Uuid,
    },
    /// A listing is in force though its term has ended, or its term was ended too early.
    Mistimed {
        /// Which.
        listing: Uuid,
    },
    /// An acknowledgement does not follow the one before, or was taken or refused against what the log has.
    Misacknowledged {
        /// The place up to which it was.
        upto: u64,
    },
    /// A comparison was answered otherwise than the log has it.
    Miscounted {
        /// Of facts above this place,
        after: u64,
        /// up to this one,
        upto: u64,
        /// as of this one.
        known_at: u64,
    },
    /// Somebody was let in or served with a certificate that was replaced, or refused with one that was not.
    Mistaken {
        /// Whose subscription it is.
        reader: Reader,
        /// Which of the agency's certificates.
        certificate: usize,
    },
    /// A correction names other events than made the statement that it corrects.
    Misdirected {
        /// Which.
        event: Uuid,
    },
}

/// The name of each kind of finding.
pub const FINDINGS: [&str; 19] = [
    "丢失 / lost",
    "重复 / doubled",
    "乱序 / reordered",
    "改变 / altered",
    "外来 / foreign",
    "缺号 / gap",
    "已确认却不存在 / acknowledged but absent",
    "已拒绝却存在 / refused but present",
    "无人请求 / unasked",
    "前后答复不一 / answered differently",
    "读到旧状态 / stale after fresh",
    "视图不符 / read model differs",
    "名单不符 / list misstated",
    "列入无据 / unfounded",
    "更正不准 / correction misdirected",
    "确认不符 / misacknowledged",
    "对账不符 / reconciled wrongly",
    "证书错认 / certificate mistaken",
    "期限错认 / term mistaken",
];

impl Finding {
    /// The name of its kind, one of [`FINDINGS`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        FINDINGS[match self {
            Self::Lost { .. } => 0,
            Self::Doubled { .. } => 1,
            Self::Reordered { .. } => 2,
            Self::Altered { .. } => 3,
            Self::Foreign { .. } => 4,
            Self::Gap { .. } => 5,
            Self::Absent { .. } => 6,
            Self::PresentThoughRefused { .. } => 7,
            Self::Unasked { .. } => 8,
            Self::AnsweredDifferently { .. } => 9,
            Self::Stale { .. } => 10,
            Self::Differs { .. } => 11,
            Self::Misstated { .. } => 12,
            Self::Unfounded { .. } => 13,
            Self::Misdirected { .. } => 14,
            Self::Misacknowledged { .. } => 15,
            Self::Miscounted { .. } => 16,
            Self::Mistaken { .. } => 17,
            Self::Mistimed { .. } => 18,
        }]
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Self::Lost { reader, event }
            | Self::Doubled { reader, event }
            | Self::Reordered { reader, event }
            | Self::Altered { reader, event }
            | Self::Foreign { reader, event } => write!(f, "{reader}, event {event}"),
            Self::Gap { reader, due, came } => {
                write!(f, "{reader}, {came} came where {due} was due")
            }
            Self::Absent { command } | Self::AnsweredDifferently { command } => {
                write!(f, "command {command}")
            }
            Self::PresentThoughRefused { command, event } => {
                write!(f, "command {command}, event {event}")
            }
            Self::Unasked { event } | Self::Misdirected { event } => write!(f, "event {event}"),
            Self::Stale { stream, asked, saw } => {
                write!(f, "{stream}, version {asked} was asked for and {saw:?} shown")
            }
            Self::Differs { stream, log, shown } => {
                write!(f, "{stream}, version {log:?} in the log and {shown:?} shown")
            }
            Self::Misstated { reader, subject, position } => {
                write!(f, "{reader}, subject {subject}, position {position:?}")
            }
            Self::Mistaken { reader, certificate } => {
                write!(f, "{reader}, certificate {certificate}")
            }
            Self::Misacknowledged { upto } => write!(f, "up to {upto}"),
            Self::Miscounted { after, upto, known_at } => {
                write!(f, "above {after} up to {upto}, as of {known_at}")
            }
            Self::Unfounded { listing } | Self::Mistimed { listing } => {
                write!(f, "listing {listing}")
            }
        }
    }
}
