//! onenet
