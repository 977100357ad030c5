//! Espejo.
fn main() {}
