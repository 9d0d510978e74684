//! Compiles the contracts without a system protoc. The descriptor set, comments included, is kept
//! for reflection and for the compatibility check.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

#[expect(clippy::disallowed_methods, reason = "cargo names the folder for what is generated")]
fn main() -> Result<(), Box<dyn Error>> {
    let files = proto_files(Path::new("onenet"))?;
    for file in &files {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rerun-if-changed=onenet");
    println!("cargo:rerun-if-changed=io");
    let descriptors = protox::Compiler::new(["."])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)?
        .file_descriptor_set();
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("onenet.binpb"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}

fn proto_files(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    files.sort();
    Ok(files)
}
