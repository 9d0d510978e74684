use std::{collections::HashMap, error::Error, fmt};

use onenet_eventstore::DbError;
use onenet_kernel::{Corrupt, ExecuteError, StoreError};
use onenet_proto::{
    Reason,
    common::v1::{ErrorReason, ItemRefusal},
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::meters;

/// Why a call is not answered with what it asked for. The only way to a `google.rpc.Status`: code and
/// Chinese text come from the contract of the reason.
#[derive(Debug)]
pub struct Refusal(Box<Said>);

#[derive(Debug)]
struct Said {
    code: Code,
    domain: &'static str,
    reason: &'static str,
    zh: &'static str,
    message: String,
    field: Option<String>,
    metadata: Vec<(&'static str, String)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Refusal {
    /// For a `reason`; `message` says in English what is wrong here.
    pub fn new<R: Reason>(reason: R, message: impl fmt::Display) -> Self {
        Self(Box::new(Said {
            code: reason.code(),
            domain: R::DOMAIN,
            reason: reason.name(),
            zh: reason.zh(),
            message: message.to_string(),
            field: None,
            metadata: Vec::new(),
            source: None,
        }))
    }

    /// A bad field; `path` as in the contract, for example `enterprise.uscc`.
    pub fn field<R: Reason>(
        reason: R,
        path: impl Into<String>,
        message: impl fmt::Display,
    ) -> Self {
        let mut refusal = Self::new(reason, message);
        refusal.0.field = Some(path.into());
        refusal
    }

    /// What the reason's contract promises beside it.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.metadata.push((key, value.to_string()));
        self
    }

    /// The caller may not do this; `rule` names what was not met.
    pub fn not_authorised(rule: impl fmt::Display) -> Self {
        let message = "the organisation may not do this here";
        Self::new(ErrorReason::NotAuthorised, message).with("rule", rule)
    }

    /// A dependency cannot be reached.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::failed(ErrorReason::Unavailable, "a dependency cannot be reached", source.into())
    }

    /// A fault of this node: its text stays in the node's own log.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::failed(ErrorReason::Internal, "a fault of this node", source.into())
    }

    fn failed(reason: ErrorReason, message: &str, source: Box<dyn Error + Send + Sync>) -> Self {
        let mut refusal = Self::new(reason, message);
        refusal.0.source = Some(source);
        refusal
    }

    /// The gRPC status code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason's name, as written in its contract.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// A value from the metadata.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        let found = self.0.metadata.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The refusal of one item of a batch whose others are answered, in the answer to the RPC of this path.
    #[must_use]
    pub fn into_item(self, rpc: &str) -> ItemRefusal {
        meters::refused(rpc, self.0.reason);
        let Said { reason, domain, field, message, .. } = &*self.0;
        ItemRefusal {
            reason: (*reason).to_owned(),
            domain: (*domain).to_owned(),
            field: field.clone().unwrap_or_default(),
            message: message.clone(),
            message_zh: self.0.chinese(),
        }
    }

    /// Logs a fault, once and whole, counts the refusal and makes the status that leaves, in answer to the RPC
    /// of this path.
    #[must_use]
    pub fn into_status(mut self, rpc: &str, trace_id: &str) -> Status {
        meters::refused(rpc, self.0.reason);
        let said = &mut *self.0;
        if let Some(source) = said.source.take() {
            let error = &*source as &dyn Error;
            tracing::error!(error, trace_id, reason = said.reason, "call failed");
        } else {
            tracing::info!(reason = said.reason, field = said.field, "call refused");
        }
        if said.code == Code::Internal {
            said.metadata.push(("trace_id", trace_id.to_owned()));
        }
        let mut details = ErrorDetails::new();
        let metadata: HashMap<String, String> =
            said.metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        details.set_error_info(said.reason, said.domain, metadata);
        if let Some(field) = &said.field {
            details.add_bad_request_violation(field, &said.message);
        }
        details.set_localized_message("zh-CN", said.chinese());
        Status::with_error_details(said.code, self.to_string(), details)
    }
}

impl Said {
    fn chinese(&self) -> String {
        let mut text = match &self.field {
            Some(field) => format!("字段 {field}：{}", self.zh),
            None => self.zh.to_owned(),
        };
        let facts: Vec<String> =
            self.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !facts.is_empty() {
            text = format!("{text}（{}）", facts.join("，"));
        }
        text
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { field, message, .. } = &*self.0;
        match field {
            Some(field) => write!(f, "{field}: {message}"),
            None => f.write_str(message),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict { actual } => version_conflict(*actual),
            StoreError::CommandReused => Self::new(ErrorReason::CommandReused, error),
            StoreError::Unstorable { field: "payload" | "events", .. } => {
                Self::new(ErrorReason::EventTooLarge, error)
            }
            StoreError::Unstorable { .. } => Self::internal(error),
            StoreError::Overloaded => Self::new(ErrorReason::Overloaded, error),
            StoreError::Fault(_) => Self::unavailable(error),
        }
    }
}

impl<R: Into<Refusal>> From<ExecuteError<R>> for Refusal {
    fn from(error: ExecuteError<R>) -> Self {
        match error {
            ExecuteError::Rejected(rejection) => rejection.into(),
            ExecuteError::Conflict { actual } => version_conflict(actual),
            ExecuteError::Contended => {
                Self::new(ErrorReason::Contended, "other commands on the same stream went first")
            }
            ExecuteError::Corrupt(error) => error.into(),
            ExecuteError::Store(error) => error.into(),
        }
    }
}

impl From<Corrupt> for Refusal {
    fn from(error: Corrupt) -> Self {
        Self::internal(error)
    }
}

impl From<DbError> for Refusal {
    /// The server's own words about a statement are our fault; everything else is its absence.
    fn from(error: DbError) -> Self {
        match error.sqlstate() {
            Some(code) if !["08", "53", "57"].iter().any(|class| code.starts_with(class)) => {
                Self::internal(error)
            }
            _ => Self::unavailable(error),
        }
    }
}

fn version_conflict(actual: onenet_kernel::Version) -> Refusal {
    Refusal::new(
        ErrorReason::VersionConflict,
        format_args!("the stream stands at version {actual}"),
    )
    .with("actual_version", actual)
}

#[cfg(test)]
mod tests {
    use onenet_proto::enterprise::v1::EnterpriseErrorReason;

    use super::*;

    #[test]
    fn a_bad_field_names_itself_in_both_languages() {
        let refusal = Refusal::field(
            ErrorReason::UsccCheckCharacter,
            "enterprise.uscc",
            "the check character is wrong",
        );
        let status = refusal.into_status("", "");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "enterprise.uscc: the check character is wrong");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(info.reason, "ERROR_REASON_USCC_CHECK_CHARACTER");
        assert_eq!(info.domain, "onenet.common.v1");
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "enterprise.uscc");
        let zh = details.localized_message().unwrap();
        assert_eq!(zh.locale, "zh-CN");
        assert!(zh.message.starts_with("字段 enterprise.uscc："), "{}", zh.message);
    }

    #[test]
    fn the_code_of_a_reason_is_the_one_its_contract_states() {
        assert_eq!(EnterpriseErrorReason::DivisionUnknown.code(), Code::NotFound);
        assert_eq!(EnterpriseErrorReason::DivisionAlreadyRegistered.code(), Code::AlreadyExists);
    }

    #[test]
    fn a_fault_keeps_its_words_to_itself() {
        let status = Refusal::internal("password=secret").into_status("", "abc");
        assert!(!format!("{status:?}").contains("secret"));
        assert_eq!(status.get_error_details().error_info().unwrap().metadata["trace_id"], "abc");
    }
}
