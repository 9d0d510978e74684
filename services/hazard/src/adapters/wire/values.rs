use num_rational::BigRational;
use onenet_chassis::{
    same_names,
    stored::{Coded as _, Malformed, choice, read, required},
};
use onenet_proto::{common::v1::Fraction, hazard::v1 as proto};
use onenet_standards::{decimal_text, exact};

use crate::domain::{
    AssessedSubstance, Assessment, Filing, HazardUnit, HazardUnitKind, Level, OnBehalf, Substance,
};

same_names! {
    HazardUnitKind = proto::HazardUnitKind { Production Storage }
}

/// The level's number in the contract.
pub(super) fn level_code(level: Level) -> i32 {
    match level {
        Level::One => proto::MajorHazardLevel::One,
        Level::Two => proto::MajorHazardLevel::Two,
        Level::Three => proto::MajorHazardLevel::Three,
        Level::Four => proto::MajorHazardLevel::Four,
    }
    .into()
}

/// The level that a number of the contract means.
pub(super) fn level(code: i32) -> Result<Level, Malformed> {
    match proto::MajorHazardLevel::try_from(code).unwrap_or_default() {
        proto::MajorHazardLevel::One => Ok(Level::One),
        proto::MajorHazardLevel::Two => Ok(Level::Two),
        proto::MajorHazardLevel::Three => Ok(Level::Three),
        proto::MajorHazardLevel::Four => Ok(Level::Four),
        proto::MajorHazardLevel::Unspecified => {
            Err(Malformed::new("level", format_args!("{code} has no meaning")))
        }
    }
}

impl From<&HazardUnit> for proto::HazardUnit {
    fn from(unit: &HazardUnit) -> Self {
        Self { name: unit.name.clone(), kind: unit.kind.to_contract().into() }
    }
}

impl TryFrom<proto::HazardUnit> for HazardUnit {
    type Error = Malformed;

    fn try_from(unit: proto::HazardUnit) -> Result<Self, Malformed> {
        Ok(Self { name: unit.name, kind: choice("kind", unit.kind)? })
    }
}

impl From<&OnBehalf> for proto::OnBehalf {
    fn from(on_behalf: &OnBehalf) -> Self {
        Self { reason: on_behalf.reason.clone(), record: on_behalf.record.clone() }
    }
}

impl From<proto::OnBehalf> for OnBehalf {
    fn from(on_behalf: proto::OnBehalf) -> Self {
        Self { reason: on_behalf.reason, record: on_behalf.record }
    }
}

impl From<&Filing> for proto::Filing {
    fn from(filing: &Filing) -> Self {
        Self {
            number: filing.number.clone(),
            filed_on: filing.filed_on.to_string(),
            filed_by: filing.filed_by.to_string(),
        }
    }
}

impl TryFrom<proto::Filing> for Filing {
    type Error = Malformed;

    fn try_from(filing: proto::Filing) -> Result<Self, Malformed> {
        Ok(Self {
            number: filing.number,
            filed_on: read("filed_on", &filing.filed_on)?,
            filed_by: read("filed_by", &filing.filed_by)?,
        })
    }
}

impl From<&Assessment> for proto::Assessment {
    fn from(assessment: &Assessment) -> Self {
        Self {
            substances: assessment.substances.iter().map(Into::into).collect(),
            residents_within_500m: assessment.residents_within_500m,
            s: Some(written_fraction(&assessment.s)),
            alpha: Some(written_fraction(&assessment.alpha)),
            r: Some(written_fraction(&assessment.r)),
            level: level_code(assessment.level),
            rules_version: assessment.rules_version.clone(),
        }
    }
}

impl TryFrom<proto::Assessment> for Assessment {
    type Error = Malformed;

    fn try_from(assessment: proto::Assessment) -> Result<Self, Malformed> {
        let substances = assessment.substances.into_iter().map(TryInto::try_into);
        Ok(Self {
            substances: substances.collect::<Result<_, _>>()?,
            residents_within_500m: assessment.residents_within_500m,
            s: fraction("s", assessment.s)?,
            alpha: fraction("alpha", assessment.alpha)?,
            r: fraction("r", assessment.r)?,
            level: level(assessment.level)?,
            rules_version: assessment.rules_version,
        })
    }
}

impl From<&AssessedSubstance> for proto::AssessedSubstance {
    fn from(assessed: &AssessedSubstance) -> Self {
        Self {
            substance: Some((&assessed.substance).into()),
            threshold_t: decimal_text(&assessed.threshold_t),
            beta: decimal_text(&assessed.beta),
        }
    }
}

impl TryFrom<proto::AssessedSubstance> for AssessedSubstance {
    type Error = Malformed;

    fn try_from(assessed: proto::AssessedSubstance) -> Result<Self, Malformed> {
        Ok(Self {
            substance: required("substance", assessed.substance)?.try_into()?,
            threshold_t: decimal("threshold_t", &assessed.threshold_t)?,
            beta: decimal("beta", &assessed.beta)?,
        })
    }
}

impl From<&Substance> for proto::Substance {
    fn from(substance: &Substance) -> Self {
        Self {
            table1_no: substance.table1_no,
            name: substance.name.clone(),
            class_symbols: substance.class_symbols.clone(),
            quantity_t: decimal_text(&substance.quantity_t),
        }
    }
}

impl TryFrom<proto::Substance> for Substance {
    type Error = Malformed;

    fn try_from(substance: proto::Substance) -> Result<Self, Malformed> {
        Ok(Self {
            table1_no: substance.table1_no,
            name: substance.name,
            class_symbols: substance.class_symbols,
            quantity_t: decimal("quantity_t", &substance.quantity_t)?,
        })
    }
}

fn decimal(field: &'static str, text: &str) -> Result<BigRational, Malformed> {
    exact(text).map_err(|error| Malformed::new(field, error))
}

fn written_fraction(value: &BigRational) -> Fraction {
    Fraction { numerator: value.numer().to_string(), denominator: value.denom().to_string() }
}

fn fraction(field: &'static str, written: Option<Fraction>) -> Result<BigRational, Malformed> {
    let Fraction { numerator, denominator } = required(field, written)?;
    read(field, &format!("{numerator}/{denominator}"))
}
