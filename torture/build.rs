//! Compiles the clock that processes under torture are given: what goes between a program and its C library is
//! written in C.

use std::{env, error::Error, path::Path};

#[expect(clippy::disallowed_methods, reason = "cargo names the folder for what is generated")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/clock.c");
    let library = Path::new(&env::var("OUT_DIR")?).join("clock.so");
    let mut compiler = cc::Build::new().warnings(true).try_get_compiler()?.to_command();
    compiler.args(["-shared", "-fPIC", "src/clock.c", "-ldl", "-o"]).arg(library);
    let status = compiler.status()?;
    if status.success() { Ok(()) } else { Err("src/clock.c was not compiled".into()) }
}
