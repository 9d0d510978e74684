//! onenet-kafka
