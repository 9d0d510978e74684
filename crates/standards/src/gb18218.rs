//! Identification and grading of major hazards (危险化学品重大危险源辨识, GB 18218-2018, in force from
//! 2019-03-01), in exact fractions: 12.5 t of chlorine beside one resident is R = 10, level three.

mod tables;

use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use self::tables::{Classes, Steps, Table1};
use crate::table::TableError;

/// One substance of a unit (production or storage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Number in Table 1, where the substance is named there.
    pub table1_no: Option<u32>,
    /// Class symbols of Table 2 (`J1` … `W11`).
    pub symbols: Vec<String>,
    /// q: the design maximum in tonnes, never the live stock.
    pub quantity_t: BigRational,
}

/// A substance with what the standard says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// Q: the threshold in tonnes.
    pub threshold_t: BigRational,
    /// β: the correction of Table 3 or 4; `None` where it is not known and no grade is needed.
    pub beta: Option<BigRational>,
}

/// What was found of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// One per item, in their order.
    pub substances: Vec<Assessed>,
    /// S = Σ q/Q.
    pub s: BigRational,
    /// α: the correction for residents within 500 m.
    pub alpha: BigRational,
    /// Only where S ≥ 1: the unit is a major hazard.
    pub grade: Option<Grade>,
}

/// How grave a major hazard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// R = α · Σ β·q/Q.
    pub r: BigRational,
    /// What R reaches.
    pub level: Level,
}

/// Levels of major hazards (重大危险源级别).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// 一级: R ≥ 100, the gravest.
    One,
    /// 二级: 50 ≤ R < 100.
    Two,
    /// 三级: 10 ≤ R < 50.
    Three,
    /// 四级: R < 10.
    Four,
}

impl Level {
    fn from_number(number: u8) -> Option<Self> {
        [Self::One, Self::Two, Self::Three, Self::Four]
            .into_iter()
            .find(|level| level.number() == number)
    }

    /// As the standard numbers it: 1 is the gravest.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }
}

/// Why a unit cannot be assessed. `item` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssessError {
    /// There is nothing to assess.
    #[error("the unit holds no substance")]
    NoItems,
    /// A quantity is below zero.
    #[error("the quantity of item {item} is negative")]
    NegativeQuantity {
        /// Which.
        item: usize,
    },
    /// Table 1 has no such number.
    #[error("Table 1 has no number {number}")]
    UnknownTable1No {
        /// Which.
        item: usize,
        /// What was given.
        number: u32,
    },
    /// Table 2 has no such class.
    #[error("Table 2 has no class {symbol}")]
    UnknownSymbol {
        /// Which.
        item: usize,
        /// What was given.
        symbol: String,
    },
    /// Neither a number of Table 1 nor a class is given.
    #[error("item {item} has neither a number of Table 1 nor a class")]
    Unclassified {
        /// Which.
        item: usize,
    },
    /// The grade needs β, Table 3 does not name the substance, and no class is given.
    #[error("item {item} needs a class for its correction factor")]
    SymbolRequired {
        /// Which.
        item: usize,
    },
}

/// The tables of the standard.
pub struct Gb18218 {
    /// Threshold and, where Table 3 names the substance, β.
    table1: Table1,
    /// Threshold and β by class symbol (Tables 2 and 4).
    classes: Classes,
    /// Least number of residents and α, most residents first.
    alpha: Steps<u32, BigRational>,
    /// Least R and level, gravest first.
    levels: Steps<BigRational, Level>,
}

impl Gb18218 {
    /// The rule version that a decision records.
    pub const VERSION: &str = "GB18218-2018";

    /// The tables that come with the program.
    pub fn embedded() -> Result<Self, TableError> {
        Ok(Self {
            table1: tables::table1()?,
            classes: tables::classes()?,
            alpha: tables::alpha()?,
            levels: tables::levels()?,
        })
    }

    /// Identifies and, where it is a major hazard, grades a unit with `residents` within 500 m of
    /// the plant's boundary.
    pub fn assess(&self, items: &[Item], residents: u32) -> Result<Assessment, AssessError> {
        if items.is_empty() {
            return Err(AssessError::NoItems);
        }
        let substances = items
            .iter()
            .enumerate()
            .map(|(n, item)| self.look_up(n, item))
            .collect::<Result<Vec<_>, _>>()?;
        let ratios: Vec<BigRational> = items
            .iter()
            .zip(&substances)
            .map(|(item, assessed)| &item.quantity_t / &assessed.threshold_t)
            .collect();
        let s: BigRational = ratios.iter().sum();
        let alpha = self.alpha_for(residents);
        let grade = if s >= BigRational::one() {
            Some(self.grade(&substances, &ratios, &alpha)?)
        } else {
            None
        };
        Ok(Assessment { substances, s, alpha, grade })
    }

    fn look_up(&self, item: usize, substance: &Item) -> Result<Assessed, AssessError> {
        if substance.quantity_t < BigRational::zero() {
            return Err(AssessError::NegativeQuantity { item });
        }
        let classes = substance
            .symbols
            .iter()
            .map(|symbol| {
                let unknown = || AssessError::UnknownSymbol { item, symbol: symbol.clone() };
                self.classes.get(symbol).ok_or_else(unknown)
            })
            .collect::<Result<Vec<_>, _>>()?;
        // several hazards: the smallest threshold; several classes: the largest correction
        let by_class = classes.iter().map(|(threshold, _)| threshold).min().cloned();
        let class_beta = classes.iter().map(|(_, beta)| beta).max().cloned();
        let Some(number) = substance.table1_no else {
            let threshold_t = by_class.ok_or(AssessError::Unclassified { item })?;
            return Ok(Assessed { threshold_t, beta: class_beta });
        };
        let (threshold_t, beta) = self
            .table1
            .get(&number)
            .cloned()
            .ok_or(AssessError::UnknownTable1No { item, number })?;
        Ok(Assessed { threshold_t, beta: beta.or(class_beta) })
    }

    fn grade(
        &self,
        substances: &[Assessed],
        ratios: &[BigRational],
        alpha: &BigRational,
    ) -> Result<Grade, AssessError> {
        let mut sum = BigRational::zero();
        for (item, (assessed, ratio)) in substances.iter().zip(ratios).enumerate() {
            let beta = assessed.beta.as_ref().ok_or(AssessError::SymbolRequired { item })?;
            sum += beta * ratio;
        }
        let r = alpha * sum;
        let reached = self.levels.iter().find(|(least, _)| r >= *least);
        let level = reached.map_or(Level::Four, |(_, level)| *level);
        Ok(Grade { r, level })
    }

    fn alpha_for(&self, residents: u32) -> BigRational {
        let reached = self.alpha.iter().find(|(least, _)| residents >= *least);
        reached.map_or_else(BigRational::one, |(_, alpha)| alpha.clone())
    }
}
