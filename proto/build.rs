//! Compiles the contracts without a system protoc. The descriptor set, comments included, is kept
//! for reflection and for the compatibility check; what the contracts say of all requests and of all
//! refusals alike becomes trait implementations.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use prost::Message as _;
use prost_reflect::{DescriptorPool, EnumDescriptor, MessageDescriptor, Value};

#[expect(clippy::disallowed_methods, reason = "cargo names the folder for what is generated")]
fn main() -> Result<(), Box<dyn Error>> {
    let files = proto_files(Path::new("onenet"))?;
    for file in &files {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rerun-if-changed=onenet");
    println!("cargo:rerun-if-changed=io");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    // encoded here, since the structs of prost-types drop the options that the contracts define
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("onenet.binpb"), &descriptors)?;
    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    fs::write(out.join("traits.rs"), traits(&pool)?)?;
    let set = prost_types::FileDescriptorSet::decode(descriptors.as_slice())?;
    tonic_prost_build::configure()
        .bytes(".")
        .extern_path(".onenet.exchange.v1.Delivery", "crate::Delivery")
        .compile_fds(set)?;
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

fn traits(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for message in
        pool.all_messages().filter(|message| message.package_name().starts_with("onenet"))
    {
        let rust = rust_path(message.package_name(), message.name());
        if is_write(&message) {
            writeln!(
                text,
                "impl WriteRequest for {rust} {{ fn take_envelope(&mut self) -> Envelope {{ Envelope {{
                    command_id: std::mem::take(&mut self.command_id),
                    expected_version: self.expected_version.take(),
                    fresh_as: std::mem::take(&mut self.fresh_as),
                }} }} }}"
            )?;
        } else if message.name().ends_with("Request")
            && message.get_field_by_name("fresh_as").is_some()
        {
            writeln!(
                text,
                "impl ReadRequest for {rust} {{ fn take_fresh_as(&mut self) -> Vec<common::v1::Receipt> {{
                    std::mem::take(&mut self.fresh_as)
                }} }}"
            )?;
        }
    }
    for reasons in pool.all_enums().filter(|reasons| reasons.name().ends_with("ErrorReason")) {
        text.push_str(&reason(pool, &reasons)?);
    }
    Ok(text)
}

fn is_write(message: &MessageDescriptor) -> bool {
    let names = ["command_id", "expected_version", "fresh_as"];
    (1..)
        .zip(names)
        .all(|(number, name)| message.get_field(number).is_some_and(|field| field.name() == name))
}

/// Code and Chinese text of every reason, from the option it carries.
fn reason(pool: &DescriptorPool, reasons: &EnumDescriptor) -> Result<String, Box<dyn Error>> {
    let option = pool
        .get_extension_by_name("onenet.common.v1.refusal")
        .ok_or("the contracts do not define onenet.common.v1.refusal")?;
    let (mut codes, mut texts) = (String::new(), String::new());
    for value in reasons.values().filter(|value| value.number() != 0) {
        let refusal = value.options().get_extension(&option).into_owned();
        let text = |field| match refusal.as_message().and_then(|it| it.get_field_by_name(field)) {
            Some(text) => match &*text {
                Value::String(text) if !text.is_empty() => Ok(text.clone()),
                _ => Err(format!("{} says nothing of its {field}", value.full_name())),
            },
            None => Err(format!("{} carries no refusal option", value.full_name())),
        };
        let (number, code, zh) = (value.number(), camel(&text("code")?), text("zh")?);
        writeln!(codes, "{number} => tonic::Code::{code},")?;
        writeln!(texts, "{number} => {zh:?},")?;
    }
    Ok(format!(
        "impl Reason for {rust} {{
            const DOMAIN: &'static str = {package:?};
            fn name(self) -> &'static str {{ self.as_str_name() }}
            fn code(self) -> tonic::Code {{ match self as i32 {{ {codes} _ => tonic::Code::Internal }} }}
            fn zh(self) -> &'static str {{ match self as i32 {{ {texts} _ => \"\" }} }}
        }}\n",
        rust = rust_path(reasons.package_name(), reasons.name()),
        package = reasons.package_name(),
    ))
}

fn rust_path(package: &str, name: &str) -> String {
    format!("crate::{}::{name}", package.replace('.', "::"))
}

/// `NOT_FOUND` as `NotFound`.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{first}{}", rest.to_lowercase())
        })
        .collect()
}
