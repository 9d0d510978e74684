//! The contracts of onenet, generated from the `.proto` files beside this crate. Written by hand are
//! only the traits that say what all requests and all refusals have in common, which are implemented
//! from the contracts, and [`Delivery`], so that an event is encoded once for all who get it.
//! Conversions to and from the domain live in each context's `wire.rs`.

/// Every file of the contracts with its comments, as a serialised `FileDescriptorSet`: what
/// reflection serves and what compatibility is judged by.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/onenet.binpb"));

mod delivery;

macro_rules! packages {
    ($($context:ident: $package:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        pub mod $context {
            #[doc = $doc]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    )*};
}

// generated code reaches other packages by the path of their names, so the modules mirror them
mod io {
    packages! { cloudevents: "io.cloudevents.v1", "CloudEvents 1.0 in protobuf."; }
}
mod onenet {
    packages! {
        common: "onenet.common.v1", "What all contexts share: receipts, pages, values, reasons.";
        enterprise: "onenet.enterprise.v1", "Enterprises, divisions and organisations.";
        hazard: "onenet.hazard.v1", "Major hazards (重大危险源) and hidden dangers (事故隐患).";
        enforcement: "onenet.enforcement.v1", "Cases, penalties and clues (执法).";
        credit: "onenet.credit.v1", "Dishonest subjects and the blacklist (失信联合惩戒).";
        exchange: "onenet.exchange.v1", "Agencies, grants and subscriptions (数据共享).";
    }
}
pub use delivery::Delivery;
pub use io::cloudevents;
pub use onenet::{common, credit, enforcement, enterprise, exchange, hazard};

/// What every write request starts with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// The caller's id of the command.
    pub command_id: String,
    /// The version the caller decided on.
    pub expected_version: Option<u64>,
    /// What the decision must have seen.
    pub fresh_as: Vec<common::v1::Receipt>,
}

/// A request that may change something.
pub trait WriteRequest: prost::Message + Default + 'static {
    /// Takes the envelope out; what is left is the content, by which a retry is told from a reuse.
    fn take_envelope(&mut self) -> Envelope;
}

/// A request that changes nothing.
pub trait ReadRequest: prost::Message + Default + 'static {
    /// Takes out what the answer must have seen.
    fn take_fresh_as(&mut self) -> Vec<common::v1::Receipt>;
}

/// A reason of refusal, as its contract documents it.
pub trait Reason: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// The package of the enum: the domain of `google.rpc.ErrorInfo`.
    const DOMAIN: &'static str;
    /// The value as written in the contract.
    fn name(self) -> &'static str;
    /// The gRPC status code.
    fn code(self) -> tonic::Code;
    /// What a person is told, in Chinese.
    fn zh(self) -> &'static str;
}

mod traits {
    use crate::{Envelope, ReadRequest, Reason, WriteRequest, common};

    include!(concat!(env!("OUT_DIR"), "/traits.rs"));
}
