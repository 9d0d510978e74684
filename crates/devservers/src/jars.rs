use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    DevServerError,
    process::{Program, on_path, setting},
};

/// What Maven is asked for: Apache Kafka and what it needs to run.
const POM: &str = include_str!("../kafka/pom.xml");
/// Names the cache: another one for every change of the pom.
const CACHE: &str = "kafka-4.3.0-acl";
/// What a folder of jars lacks that was filled before access lists were needed.
const NEWEST: &str = "kafka-tools-4.3.0.jar";

/// The folder with Kafka's jars: `ONENET_KAFKA_LIB`, or a cache that Maven fills once.
pub(crate) fn resolve() -> Result<PathBuf, DevServerError> {
    if let Some(folder) = setting("ONENET_KAFKA_LIB").map(PathBuf::from) {
        let missing = DevServerError::Missing { program: "Apache Kafka's jars", package: "maven" };
        return if folder.join(NEWEST).is_file() { Ok(folder) } else { Err(missing) };
    }
    let cache = setting("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| setting("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("onenet");
    let jars = cache.join(CACHE);
    if !jars.exists() {
        fill(&cache, &jars)?;
    }
    Ok(jars)
}

/// Fills a folder beside the cache and renames it: whoever is first wins, and nobody sees half of it.
fn fill(cache: &Path, jars: &Path) -> Result<(), DevServerError> {
    let maven =
        on_path("mvn").ok_or(DevServerError::Missing { program: "mvn", package: "maven" })?;
    fs::create_dir_all(cache).map_err(DevServerError::files("creating", cache))?;
    let work = tempfile::tempdir_in(cache).map_err(DevServerError::files("working in", cache))?;
    let pom = work.path().join("pom.xml");
    fs::write(&pom, POM).map_err(DevServerError::files("writing", &pom))?;
    let mut folder = OsString::from("-DoutputDirectory=");
    folder.push(work.path().join("lib"));
    let mut args: Vec<OsString> = vec!["-q".into(), "-B".into(), "-f".into(), pom.into()];
    args.extend(["dependency:copy-dependencies".into(), "-DincludeScope=runtime".into(), folder]);
    Program::new(maven, args, cache.join("maven.log")).run()?;
    match fs::rename(work.path().join("lib"), jars) {
        Err(_) if jars.exists() => Ok(()),
        renamed => renamed.map_err(DevServerError::files("renaming to", jars)),
    }
}

/// A Java runtime: `JAVA_HOME`, or PATH.
pub(crate) fn java() -> Result<PathBuf, DevServerError> {
    let home = setting("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let missing =
        DevServerError::Missing { program: "java (17 or later)", package: "default-jre-headless" };
    home.filter(|java| java.is_file())
        .or_else(|| on_path("java"))
        .filter(|java| major_version(java).is_some_and(|version| version >= 17))
        .ok_or(missing)
}

/// `java -version` prints `openjdk version "17.0.15" …` on its error stream.
fn major_version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.split('"').nth(1)?.split('.').next()?.parse().ok()
}
