//! Reading what was stored: whatever does not fit is corrupt, since the writer was this program.

use std::{fmt::Display, str::FromStr};

use onenet_kernel::Corrupt;
use prost::Message;

/// What is wrong with a stored message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Malformed {
    field: &'static str,
    reason: String,
}

impl Malformed {
    pub(super) fn new(field: &'static str, reason: impl Display) -> Self {
        Self { field, reason: reason.to_string() }
    }
}

/// An enum of the domain and its twin in the contract.
pub(super) trait Coded: Sized {
    type Contract: TryFrom<i32> + Into<i32>;

    fn to_contract(self) -> Self::Contract;
    fn of_contract(contract: Self::Contract) -> Option<Self>;
}

/// Twins whose values bear the same names.
macro_rules! same_names {
    ($($name:ident { $($value:ident)+ })+) => {$(
        impl Coded for $name {
            type Contract = proto::$name;

            fn to_contract(self) -> proto::$name {
                match self { $(Self::$value => proto::$name::$value,)+ }
            }

            fn of_contract(contract: proto::$name) -> Option<Self> {
                match contract {
                    proto::$name::Unspecified => None,
                    $(proto::$name::$value => Some(Self::$value),)+
                }
            }
        }
    )+};
}
pub(super) use same_names;

/// A whole message.
pub(super) fn message<M, T>(event_type: &str, payload: &[u8]) -> Result<T, Corrupt>
where
    M: Message + Default,
    T: TryFrom<M, Error = Malformed>,
{
    let message = M::decode(payload).map_err(|error| Corrupt::new(event_type, error))?;
    message.try_into().map_err(|error| Corrupt::new(event_type, error))
}

/// A field whose text has a form.
pub(super) fn read<T>(field: &'static str, text: &str) -> Result<T, Malformed>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| Malformed::new(field, error))
}

/// A field that is always written.
pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed::new(field, "absent"))
}

/// One of an enum's values.
pub(super) fn choice<T: Coded>(field: &'static str, code: i32) -> Result<T, Malformed> {
    let contract = T::Contract::try_from(code).ok();
    let value = contract.and_then(T::of_contract);
    value.ok_or_else(|| Malformed::new(field, format_args!("{code} has no meaning")))
}
