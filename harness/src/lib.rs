//! **harness**.
