//! Fields and sessions that expire.
