//! onenet-tests
