//! onenet-exchange
