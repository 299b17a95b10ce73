//! Every check bites on a planted fault, alone, and is silent on the other side of the threshold.

mod between;
mod bites;
mod borders;
mod captured;
mod changed;
mod fragments;
mod frames;
mod hostile;
mod model;
mod observed;
mod quotes;
mod resets;
mod support;
mod table;
mod watched;

// The package's own name is longer than the one that the rest of the workspace uses.
use wireproof_checks as checks;
