//! onenet-standards
