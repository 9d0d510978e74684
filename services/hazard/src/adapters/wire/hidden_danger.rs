use onenet_chassis::{
    instant,
    stored::{Coded as _, Malformed, choice, message, read, required},
    timestamp,
};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::hazard::v1 as proto;
use prost::Message as _;
use uuid::Uuid;

use crate::domain::HiddenDangerEvent as Event;

/// The written form of each event: its message has fields of the same names, each written in one of
/// the ways below.
macro_rules! wire_events {
    ($($name:ident { $($field:ident $way:ident,)+ })+) => {
        impl WireEvent for Event {
            fn event_type(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => concat!("onenet.hazard.v1.", stringify!($name)),)+
                }
            }

            fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$name { $($field),+ } => {
                        proto::$name { $($field: written!($way $field)),+ }.encode_to_vec()
                    })+
                }
            }

            fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
                match event_type.strip_prefix("onenet.hazard.v1.") {
                    $(Some(stringify!($name)) => message::<proto::$name, _>(event_type, payload),)+
                    _ => Err(Corrupt::unknown_type(event_type)),
                }
            }
        }

        $(impl TryFrom<proto::$name> for Event {
            type Error = Malformed;

            fn try_from(event: proto::$name) -> Result<Self, Malformed> {
                Ok(Self::$name { $($field: stored!($way $field event)),+ })
            }
        })+
    };
}

macro_rules! written {
    (text $value:ident) => {
        $value.to_string()
    };
    (number $value:ident) => {
        *$value
    };
    (choice $value:ident) => {
        $value.to_contract().into()
    };
    (message $value:ident) => {
        Some($value.into())
    };
    (boxed $value:ident) => {
        Some((&**$value).into())
    };
    (optional $value:ident) => {
        $value.as_ref().map(Into::into)
    };
    (instant $value:ident) => {
        Some(timestamp(*$value))
    };
    (ids $value:ident) => {
        $value.iter().map(ToString::to_string).collect()
    };
}

macro_rules! stored {
    (text $field:ident $event:ident) => {
        read(stringify!($field), &$event.$field)?
    };
    (number $field:ident $event:ident) => {
        $event.$field
    };
    (choice $field:ident $event:ident) => {
        choice(stringify!($field), $event.$field)?
    };
    (message $field:ident $event:ident) => {
        required(stringify!($field), $event.$field)?.try_into()?
    };
    (boxed $field:ident $event:ident) => {
        Box::new(required(stringify!($field), $event.$field)?.try_into()?)
    };
    (optional $field:ident $event:ident) => {
        $event.$field.map(TryInto::try_into).transpose()?
    };
    (instant $field:ident $event:ident) => {
        instant(&required(stringify!($field), $event.$field)?)
    };
    (ids $field:ident $event:ident) => {
        ids(stringify!($field), &$event.$field)?
    };
}

// the event types are frozen: a variant and its message keep their name for ever
wire_events! {
    HiddenDangerReported {
        hidden_danger_id text, enterprise text, division text, industry text, finding message,
        reported_by text,
    }
    HiddenDangerGraded {
        hidden_danger_id text, enterprise text, grading message, escalation optional,
    }
    RectificationOrdered {
        hidden_danger_id text, enterprise text, organ text, order message, rectification message,
        replaced optional, escalation optional,
    }
    TreatmentReported { hidden_danger_id text, enterprise text, grade choice, report message, }
    HiddenDangerRectified {
        hidden_danger_id text, enterprise text, rectification message, deadline optional,
        escalation optional,
    }
    RectificationAccepted {
        hidden_danger_id text, enterprise text, grade choice, accepted_by text, acceptance message,
    }
    HiddenDangerRechecked {
        hidden_danger_id text, enterprise text, rechecked_by text, recheck message,
    }
    HiddenDangerReopened {
        hidden_danger_id text, enterprise text, rechecked_by text, recheck message,
        deadline optional, escalation optional,
    }
    HiddenDangerOverdue {
        danger boxed, organ text, rectification message, escalation optional,
    }
    HiddenDangerEscalated {
        danger boxed, organ text, from_organ text, level number, rectification message,
        escalation message, next optional,
    }
    RectificationRescheduled {
        hidden_danger_id text, enterprise text, rectification message, previous_due_at instant,
    }
    HiddenDangerCorrected {
        hidden_danger_id text, enterprise text, corrects ids, finding message, reason text,
        corrected_by text,
    }
    TreatmentReportCorrected {
        hidden_danger_id text, enterprise text, corrects ids, report_no number, grade choice,
        report message, reason text,
    }
    HiddenDangerWithdrawn {
        hidden_danger_id text, enterprise text, corrects ids, reason text, withdrawn_by text,
        deadline optional, escalation optional,
    }
}

fn ids(field: &'static str, written: &[String]) -> Result<Vec<Uuid>, Malformed> {
    written.iter().map(|id| read(field, id)).collect()
}
