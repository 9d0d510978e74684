//! onenet-proto
