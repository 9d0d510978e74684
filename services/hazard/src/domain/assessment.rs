use num_rational::BigRational;
use onenet_standards::gb18218::{AssessError, Gb18218, Item, Level};

/// A hazardous chemical in the unit, as stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substance {
    /// Its number in Table 1, where it is named there.
    pub table1_no: Option<u32>,
    /// A label; nothing is decided by it.
    pub name: String,
    /// Its class symbols of Table 2.
    pub class_symbols: Vec<String>,
    /// q: the design maximum (设计最大量) in tonnes, a decimal; never the live stock.
    pub quantity_t: BigRational,
}

/// A substance with the figures it was judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessedSubstance {
    /// As stated.
    pub substance: Substance,
    /// Q (临界量) in tonnes.
    pub threshold_t: BigRational,
    /// β (校正系数).
    pub beta: BigRational,
}

/// A major hazard's identification and grading (辨识、分级) with all they rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Every substance of the unit.
    pub substances: Vec<AssessedSubstance>,
    /// Permanent residents within 500 m of the plant boundary (厂界外500米常住人口).
    pub residents_within_500m: u32,
    /// S = Σ q/Q, at least 1.
    pub s: BigRational,
    /// α (暴露人员校正系数).
    pub alpha: BigRational,
    /// R = α · Σ β·q/Q.
    pub r: BigRational,
    /// The level, from R.
    pub level: Level,
    /// The standard judged by.
    pub rules_version: String,
}

/// What the standard says of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identification {
    /// S ≥ 1: it is a major hazard.
    MajorHazard(Box<Assessment>),
    /// S < 1: it is none, and no grade is computed.
    BelowThreshold {
        /// S.
        s: BigRational,
    },
}

impl Identification {
    /// Judges a unit. An error names the substance by its place in the list.
    pub fn assess(
        standard: &Gb18218,
        substances: Vec<Substance>,
        residents_within_500m: u32,
    ) -> Result<Self, AssessError> {
        let items: Vec<Item> = substances.iter().map(Substance::item).collect();
        let found = standard.assess(&items, residents_within_500m)?;
        let Some(grade) = found.grade else {
            return Ok(Self::BelowThreshold { s: found.s });
        };
        let substances = substances
            .into_iter()
            .zip(found.substances)
            .enumerate()
            .map(|(item, (substance, assessed))| {
                let beta = assessed.beta.ok_or(AssessError::SymbolRequired { item })?;
                Ok(AssessedSubstance { substance, threshold_t: assessed.threshold_t, beta })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::MajorHazard(Box::new(Assessment {
            substances,
            residents_within_500m,
            s: found.s,
            alpha: found.alpha,
            r: grade.r,
            level: grade.level,
            rules_version: Gb18218::VERSION.to_owned(),
        })))
    }
}

impl Substance {
    fn item(&self) -> Item {
        Item {
            table1_no: self.table1_no,
            symbols: self.class_symbols.clone(),
            quantity_t: self.quantity_t.clone(),
        }
    }
}
