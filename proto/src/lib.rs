//! The contracts of onenet, generated from the `.proto` files beside this crate. Nothing is written
//! here by hand: conversions to and from the domain live in each context's `wire.rs`.

/// Every file of the contracts with its comments, as a serialised `FileDescriptorSet`: what
/// reflection serves and what compatibility is judged by.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/onenet.binpb"));

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
        hazard: "onenet.hazard.v1", "Major hazards (重大危险源).";
        enforcement: "onenet.enforcement.v1", "Cases and penalties (执法).";
        credit: "onenet.credit.v1", "Dishonest subjects and the blacklist (失信联合惩戒).";
        exchange: "onenet.exchange.v1", "Agencies, grants and subscriptions (数据共享).";
    }
}
pub use io::cloudevents;
pub use onenet::{common, credit, enforcement, enterprise, exchange, hazard};
