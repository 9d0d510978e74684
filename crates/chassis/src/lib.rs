//! onenet-chassis
