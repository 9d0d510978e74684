//! onenet-credit
