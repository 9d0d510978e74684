//! onenet-devservers
