use jiff::civil::Date;
use num_rational::BigRational;

/// An administrative penalty (行政处罚) as decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Penalty {
    /// Number of the decision document (行政处罚决定书文号), as written: not unique, never a key.
    pub document_number: String,
    /// The day of the decision.
    pub decided_on: Date,
    /// Codes of the violations punished, each once.
    pub violations: Vec<String>,
    /// What was imposed, each kind once.
    pub kinds: Vec<PenaltyKind>,
    /// Present exactly when the kinds hold [`PenaltyKind::Fine`].
    pub fine: Option<Fine>,
    /// Articles punished under (处罚依据).
    pub legal_basis: String,
    /// The facts of the violation (违法事实), without personal data.
    pub summary: String,
}

/// A fine (罚款).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fine {
    /// Hundredths of a yuan (分), more than zero.
    pub fen: i64,
    /// How many times the ordinary fine (安全生产法 art. 114, paragraph 2), where it is a multiple.
    pub multiple: Option<BigRational>,
}

/// Kinds of penalty (行政处罚法 art. 9) that an organ of this network may impose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PenaltyKind {
    /// 警告.
    Warning,
    /// 通报批评.
    Criticism,
    /// 罚款.
    Fine,
    /// 没收违法所得、没收非法财物.
    Confiscation,
    /// 暂扣许可证件.
    LicenceSuspension,
    /// 降低资质等级.
    Downgrade,
    /// 吊销许可证件.
    LicenceRevocation,
    /// 限制开展生产经营活动.
    ActivityBan,
    /// 责令停产停业.
    SuspensionOfBusiness,
    /// 责令关闭.
    Closure,
    /// 限制从业.
    CareerBan,
}
