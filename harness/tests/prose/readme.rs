//! The commands of `README.md`, run in a copy of the project's scenarios and goldens.
