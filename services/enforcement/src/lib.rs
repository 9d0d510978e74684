//! onenet-enforcement
