use jiff::civil::Date;
use onenet_kernel::Timestamp;
use onenet_standards::Uscc;
use uuid::Uuid;

/// What was found (排查发现), as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub description: String,
    /// Where.
    pub location: String,
    /// Which check found it.
    pub source: FindingSource,
    /// Its trade.
    pub kind: FindingKind,
    /// What lies behind it.
    pub cause: FindingCause,
    /// The day it was found.
    pub found_on: Date,
}

/// Which check found a hidden danger (隐患来源).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingSource {
    /// 日常排查.
    Daily,
    /// 综合性排查.
    Comprehensive,
    /// 专业性排查.
    Professional,
    /// 季节性排查.
    Seasonal,
    /// 重点时段及节假日前排查.
    KeyPeriod,
    /// 事故类比排查.
    AccidentAnalogy,
    /// 复产复工前排查.
    Resumption,
    /// 外聘专家诊断式排查.
    Expert,
    /// 管控措施失效.
    ControlFailure,
    /// 其他.
    Other,
}

/// The trade of a hidden danger (隐患类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// 安全.
    Safety,
    /// 工艺.
    Process,
    /// 电气.
    Electrical,
    /// 仪表.
    Instrumentation,
    /// 消防.
    Fire,
    /// 总图.
    Layout,
    /// 设备.
    Equipment,
    /// 其他.
    Other,
}

/// What lies behind a hidden danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingCause {
    /// 人的不安全行为.
    People,
    /// 物的不安全状态.
    Things,
    /// 管理上的缺陷.
    Management,
}

/// The grade of a hidden danger (隐患等级).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grade {
    /// 一般隐患.
    General,
    /// 重大隐患, by the criterion that names it.
    Major(Criterion),
}

/// The grade alone, without what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// 一般隐患.
    General,
    /// 重大隐患.
    Major,
}

/// A criterion (重大事故隐患判定标准) as it was cited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Its code; `None` where the item was cited in words.
    pub code: Option<String>,
    /// The standard.
    pub standard: String,
    /// The item as the standard words it.
    pub item: String,
}

/// How a hidden danger was graded (隐患分级).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grading {
    /// The grade.
    pub grade: Grade,
    /// The day of grading.
    pub graded_on: Date,
    /// The enterprise, or a department.
    pub graded_by: Uscc,
}

/// A department's order to rectify (责令限期整改).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RectificationOrder {
    /// Number of the document as written.
    pub document_number: String,
    /// The day of its service.
    pub served_on: Date,
    /// The time given.
    pub time: TimeGiven,
    /// What is to be done.
    pub requirements: String,
    /// The articles it rests on.
    pub legal_basis: String,
}

/// The time that an order gives (整改期限): no law sets its length, the order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeGiven {
    /// Up to the end of this day.
    Until(Date),
    /// Working days after the day of service.
    WorkingDays(u32),
}

/// The end of the time given, counted out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The first instant after the last day.
    pub at: Timestamp,
    /// The calendar that working days were counted with; empty where calendar days count.
    pub calendar_version: String,
    /// Counted in part beyond the last published arrangement of holidays.
    pub provisional: bool,
}

/// When a danger escalates next, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextEscalation {
    /// The first instant after the period.
    pub due_at: Timestamp,
    /// The rule that sets the period.
    pub legal_basis: String,
}

/// A report on the treatment of a hidden danger (治理情况报告).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreatmentReport {
    /// The day of the report.
    pub reported_on: Date,
    /// What was done and what is left.
    pub summary: String,
    /// The receipt of the department with the duty of supervision.
    pub department: Option<DepartmentReceipt>,
    /// The receipt of the enterprise's own workers' congress.
    pub congress: Option<CongressReceipt>,
}

/// A department (负有安全生产监督管理职责的部门) has received a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentReceipt {
    /// The department.
    pub department: Uscc,
    /// Number of the receipt as written.
    pub receipt_number: String,
    /// The day of receipt.
    pub received_on: Date,
}

/// A workers' congress (职工大会、职工代表大会) has received a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CongressReceipt {
    /// Its name.
    pub congress: String,
    /// Number of the record as written.
    pub record_number: String,
    /// The day of receipt.
    pub received_on: Date,
}

/// The enterprise says that a danger is gone (整改完成).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rectification {
    /// The day.
    pub rectified_on: Date,
    /// What was done.
    pub measures: String,
}

/// A rectification was accepted (验收).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The day.
    pub accepted_on: Date,
    /// The opinion (验收意见).
    pub opinion: String,
    /// The independent acceptance.
    pub third_party: Option<ThirdPartyAcceptance>,
}

/// An independent institution's acceptance (第三方机构验收评估).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThirdPartyAcceptance {
    /// The institution.
    pub institution: Uscc,
    /// Number of its report as written.
    pub report_number: String,
    /// The day of its conclusion.
    pub concluded_on: Date,
}

/// A look whether a rectification holds (复查).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// The day.
    pub rechecked_on: Date,
    /// What it found.
    pub outcome: RecheckOutcome,
    /// In words.
    pub findings: String,
}

/// What a re-check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecheckOutcome {
    /// The danger is gone.
    Passed,
    /// It is not, or it is back.
    Failed,
}

/// What an overdue danger is, so that enforcement needs to ask nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueDanger {
    /// The hidden danger.
    pub hidden_danger_id: Uuid,
    /// The enterprise.
    pub enterprise: Uscc,
    /// Its division when the danger was reported.
    pub division: String,
    /// Its industry when the danger was reported.
    pub industry: String,
    /// The grade.
    pub grade: Grade,
    /// What was found, as it stands corrected.
    pub finding: Finding,
    /// Number of the order's document.
    pub document_number: String,
    /// The department that ordered.
    pub ordered_by: Uscc,
}

impl TreatmentReport {
    /// Whether the department and the workers' congress have both received it (双报告).
    #[must_use]
    pub fn is_dual(&self) -> bool {
        self.department.is_some() && self.congress.is_some()
    }
}

impl Grade {
    /// The grade alone.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::General => Severity::General,
            Self::Major(_) => Severity::Major,
        }
    }

    /// Whether it is 重大.
    #[must_use]
    pub fn is_major(&self) -> bool {
        self.severity() == Severity::Major
    }
}
