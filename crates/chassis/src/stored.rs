//! Reading what was stored: whatever does not fit is corrupt, since the writer was this program.

use std::{fmt::Display, str::FromStr};

use onenet_kernel::Corrupt;
use prost::Message;

use crate::Refusal;

/// What is wrong with a stored message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Malformed {
    field: &'static str,
    reason: String,
}

impl Malformed {
    /// A field that cannot be read.
    pub fn new(field: &'static str, reason: impl Display) -> Self {
        Self { field, reason: reason.to_string() }
    }
}

/// A request that was checked field by field and still cannot be read: our fault.
impl From<Malformed> for Refusal {
    fn from(error: Malformed) -> Self {
        Self::internal(error)
    }
}

/// An enum of the domain and its twin in the contract.
pub trait Coded: Sized {
    /// The twin.
    type Contract: TryFrom<i32> + Into<i32>;

    /// The value of the contract that means this.
    fn to_contract(self) -> Self::Contract;
    /// What a value of the contract means here, if anything.
    fn of_contract(contract: Self::Contract) -> Option<Self>;
}

/// Twins whose values bear the same names: `same_names! { Level = wire::DivisionLevel { Province City } }`.
#[macro_export]
macro_rules! same_names {
    ($($domain:ident = $contract:ty { $($value:ident)+ })+) => {$(
        impl $crate::stored::Coded for $domain {
            type Contract = $contract;

            fn to_contract(self) -> $contract {
                match self { $(Self::$value => <$contract>::$value,)+ }
            }

            fn of_contract(contract: $contract) -> Option<Self> {
                match contract {
                    <$contract>::Unspecified => None,
                    $(<$contract>::$value => Some(Self::$value),)+
                }
            }
        }
    )+};
}

/// A whole message.
pub fn message<M, T>(event_type: &str, payload: &[u8]) -> Result<T, Corrupt>
where
    M: Message + Default,
    T: TryFrom<M, Error = Malformed>,
{
    let message = M::decode(payload).map_err(|error| Corrupt::new(event_type, error))?;
    message.try_into().map_err(|error| Corrupt::new(event_type, error))
}

/// A field whose text has a form.
pub fn read<T>(field: &'static str, text: &str) -> Result<T, Malformed>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| Malformed::new(field, error))
}

/// A field whose text has a form, where it is written.
pub fn read_if<T>(field: &'static str, text: Option<&str>) -> Result<Option<T>, Malformed>
where
    T: FromStr<Err: Display>,
{
    text.map(|text| read(field, text)).transpose()
}

/// A field that is always written.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed::new(field, "absent"))
}

/// One of an enum's values.
pub fn choice<T: Coded>(field: &'static str, code: i32) -> Result<T, Malformed> {
    let contract = T::Contract::try_from(code).ok();
    let value = contract.and_then(T::of_contract);
    value.ok_or_else(|| Malformed::new(field, format_args!("{code} has no meaning")))
}
