//! onenet-enterprise
