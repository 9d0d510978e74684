//! onenet-hazard
