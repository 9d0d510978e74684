use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};

/// A division (行政区划) or functional zone (功能区).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// 2, 4, 6 or 9 digits.
    pub code: String,
    /// As people call it.
    pub name: String,
    /// Place in the code tree.
    pub level: Level,
    /// Above it in the code tree; none for a province.
    pub parent: Option<String>,
    /// Whose bodies stand above those of this one; none for a province.
    pub jurisdiction_parent: Option<String>,
    /// What the code stands for.
    pub kind: DivisionKind,
    /// First day of the code, where known.
    pub valid_from: Option<Date>,
    /// First day on which it no longer holds.
    pub valid_to: Option<Date>,
}

/// Level in the code tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 省.
    Province,
    /// 省辖市.
    City,
    /// 县 (市、区) and zones of that level.
    County,
    /// 乡镇、街道.
    Township,
}

impl Level {
    /// Digits of the codes of this level.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::City => 4,
            Self::County => 6,
            Self::Township => 9,
        }
    }
}

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DivisionKind {
    /// A division of the state's territory.
    Statutory,
    /// 开发区等功能区.
    FunctionalZone,
    /// Groups codes; nothing lies in it and nobody acts for it.
    Placeholder,
    /// A farm, factory or park with a statistical code.
    Other,
}

/// A division's place in the register; empty until it is registered.
#[derive(Clone, Debug, Default)]
pub struct DivisionEntry {
    registered: Option<Division>,
}

impl DivisionEntry {
    /// The division, if it is registered.
    #[must_use]
    pub fn division(&self) -> Option<&Division> {
        self.registered.as_ref()
    }
}

/// Adds a division.
#[derive(Clone, Debug)]
pub struct RegisterDivision(pub Division);

/// What happens to a division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DivisionEvent {
    /// It entered the register.
    Registered(Division),
}

/// Why a division is not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DivisionRejection {
    /// The register holds it with other content.
    #[error("division {code} is registered with other content")]
    AlreadyRegistered {
        /// Its code.
        code: String,
    },
}

impl Aggregate for DivisionEntry {
    const CATEGORY: &'static str = "division";
    type Command = RegisterDivision;
    type Event = DivisionEvent;
    type Rejection = DivisionRejection;

    fn decide(
        &self,
        RegisterDivision(division): &RegisterDivision,
    ) -> Result<Vec<DivisionEvent>, DivisionRejection> {
        match &self.registered {
            None => Ok(vec![DivisionEvent::Registered(division.clone())]),
            Some(registered) if registered == division => Ok(vec![]),
            Some(_) => Err(DivisionRejection::AlreadyRegistered { code: division.code.clone() }),
        }
    }

    fn evolve(&mut self, DivisionEvent::Registered(division): &DivisionEvent) {
        self.registered = Some(division.clone());
    }

    fn key(&self) -> Key {
        let code =
            self.registered.as_ref().map(|division| division.code.clone()).unwrap_or_default();
        Key { subject: code.clone(), division: code, industry: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use onenet_kernel::testing::given;

    use super::*;

    fn zhengzhou() -> Division {
        Division {
            code: "4101".to_owned(),
            name: "郑州市".to_owned(),
            level: Level::City,
            parent: Some("41".to_owned()),
            jurisdiction_parent: Some("41".to_owned()),
            kind: DivisionKind::Statutory,
            valid_from: None,
            valid_to: None,
        }
    }

    #[test]
    fn a_division_is_registered_once() {
        let registered = DivisionEvent::Registered(zhengzhou());
        given::<DivisionEntry>([]).when(&RegisterDivision(zhengzhou())).then([registered.clone()]);
        given::<DivisionEntry>([registered]).when(&RegisterDivision(zhengzhou())).then_nothing();
    }

    #[test]
    fn other_content_under_the_same_code_is_refused() {
        let renamed = Division { name: "商都".to_owned(), ..zhengzhou() };
        given::<DivisionEntry>([DivisionEvent::Registered(zhengzhou())])
            .when(&RegisterDivision(renamed))
            .then_rejected(&DivisionRejection::AlreadyRegistered { code: "4101".to_owned() });
    }

    #[test]
    fn a_divisions_events_are_about_itself() {
        let state = given::<DivisionEntry>([DivisionEvent::Registered(zhengzhou())]).state();
        assert_eq!((state.key().subject.as_str(), state.key().division.as_str()), ("4101", "4101"));
    }
}
