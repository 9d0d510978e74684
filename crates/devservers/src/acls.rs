use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt, fs,
    path::PathBuf,
};

use crate::{DevServerError, kafka::arguments, process::Program};

/// Kafka's own tool: rdkafka's administrator has no access lists.
const TOOL: &str = "org.apache.kafka.tools.AclCommand";
/// It runs for a second: what the compiler would make better is not run long enough to gain by it.
const OPTIONS: [&str; 2] =
    ["-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"];

/// What one caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who: the common name of its certificate.
    pub principal: String,
    /// What.
    pub operations: Vec<Operation>,
    /// With what.
    pub resources: Resources,
}

/// What a caller may do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Make a topic.
    Create,
    /// See that it is there.
    Describe,
    /// See its settings.
    DescribeConfigs,
    /// Read a topic; join a group.
    Read,
    /// Write to a topic, or in a transaction.
    Write,
}

/// What rights are on: names in full, or what names begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resources {
    /// Exactly these topics.
    Topics(Vec<String>),
    /// Every topic whose name begins so.
    TopicsFrom(String),
    /// Every consumer group whose name begins so.
    GroupsFrom(String),
    /// Every transactional id that begins so.
    TransactionsFrom(String),
}

/// The lists of a broker, by resource, each with its entries, in the words of the tool.
pub(crate) type Lists = BTreeMap<Resource, BTreeSet<String>>;

/// A resource that has a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resource {
    kind: String,
    name: String,
    pattern: String,
}

impl Operation {
    fn listed(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Describe => "DESCRIBE",
            Self::DescribeConfigs => "DESCRIBE_CONFIGS",
            Self::Read => "READ",
            Self::Write => "WRITE",
        }
    }
}

impl Grant {
    fn resources(&self) -> Vec<Resource> {
        let (kind, pattern, names) = match &self.resources {
            Resources::Topics(names) => ("TOPIC", "LITERAL", names.clone()),
            Resources::TopicsFrom(name) => ("TOPIC", "PREFIXED", vec![name.clone()]),
            Resources::GroupsFrom(name) => ("GROUP", "PREFIXED", vec![name.clone()]),
            Resources::TransactionsFrom(name) => {
                ("TRANSACTIONAL_ID", "PREFIXED", vec![name.clone()])
            }
        };
        let resource = |name| Resource { kind: kind.to_owned(), name, pattern: pattern.to_owned() };
        names.into_iter().map(resource).collect()
    }

    fn entries(&self) -> impl Iterator<Item = String> + '_ {
        self.operations.iter().map(|operation| {
            format!(
                "(principal=User:{}, host=*, operation={}, permissionType=ALLOW)",
                self.principal,
                operation.listed()
            )
        })
    }

    fn is_in(&self, lists: &Lists) -> bool {
        self.resources().iter().all(|resource| {
            let list = lists.get(resource);
            list.is_some_and(|list| self.entries().all(|entry| list.contains(&entry)))
        })
    }
}

impl Resource {
    /// From `ResourcePattern(resourceType=TOPIC, name=…, patternType=LITERAL)`.
    fn read(text: &str) -> Option<Self> {
        let text = text.split_once("ResourcePattern(resourceType=")?.1;
        let (kind, text) = text.split_once(", name=")?;
        let (name, text) = text.split_once(", patternType=")?;
        let (pattern, _) = text.split_once(')')?;
        let owned = str::to_owned;
        Some(Self { kind: owned(kind), name: owned(name), pattern: owned(pattern) })
    }
}

/// As the tool is told of resources, which are of one kind and one pattern.
fn words(resources: &[Resource]) -> Vec<String> {
    let mut words = Vec::new();
    for Resource { kind, name, .. } in resources {
        words.extend([format!("--{}", kind.to_lowercase().replace('_', "-")), name.clone()]);
    }
    if let Some(Resource { pattern, .. }) = resources.first() {
        words.extend(["--resource-pattern-type".to_owned(), pattern.to_lowercase()]);
    }
    words
}

/// What the tool lists: a line for each resource, and one for each entry below it.
fn read(listed: &str) -> Lists {
    let (mut lists, mut resource) = (Lists::new(), None);
    for line in listed.lines() {
        let line = line.trim();
        if let Some(named) = Resource::read(line) {
            lists.entry(named.clone()).or_default();
            resource = Some(named);
        } else if line.starts_with("(principal=")
            && let Some(list) = resource.as_ref().and_then(|resource| lists.get_mut(resource))
        {
            list.insert(line.to_owned());
        }
    }
    lists
}

/// What has to be done to `lists`, so that they hold the grants and nothing else.
#[derive(Debug, PartialEq, Eq)]
struct Changes<'a> {
    empty: Vec<&'a Resource>,
    add: Vec<&'a Grant>,
}

fn changes<'a>(lists: &'a Lists, grants: &'a [Grant]) -> Changes<'a> {
    let mut wanted = Lists::new();
    for grant in grants {
        for resource in grant.resources() {
            wanted.entry(resource).or_default().extend(grant.entries());
        }
    }
    let has_more = |(resource, list): &(&'a Resource, &BTreeSet<String>)| {
        wanted.get(*resource).is_none_or(|wanted| !list.is_subset(wanted))
    };
    let empty: Vec<_> = lists.iter().filter(has_more).map(|(resource, _)| resource).collect();
    let is_missing = |grant: &&Grant| {
        !grant.is_in(lists) || grant.resources().iter().any(|resource| empty.contains(&resource))
    };
    Changes { add: grants.iter().filter(is_missing).collect(), empty }
}

/// Kafka's tool for access lists, as the superuser of a broker.
pub(crate) struct Tool {
    pub(crate) java: PathBuf,
    pub(crate) lib: PathBuf,
    pub(crate) bootstrap: String,
    /// How it connects.
    pub(crate) properties: PathBuf,
    /// What it said last.
    pub(crate) log: PathBuf,
}

impl Tool {
    /// Every list of the broker.
    pub(crate) fn list(&self) -> Result<Lists, DevServerError> {
        Ok(read(&self.run(["--list".to_owned()])?))
    }

    /// Makes the lists hold the grants and nothing else.
    pub(crate) fn apply(&self, lists: &Lists, grants: &[Grant]) -> Result<(), DevServerError> {
        let Changes { empty, add } = changes(lists, grants);
        for resource in empty {
            let remove = ["--remove", "--force"].map(str::to_owned);
            self.run(remove.into_iter().chain(words(std::slice::from_ref(resource))))?;
        }
        for grant in add {
            let mut add = vec!["--add".to_owned()];
            add.extend(["--allow-principal".to_owned(), format!("User:{}", grant.principal)]);
            for operation in &grant.operations {
                add.extend(["--operation".to_owned(), operation.to_string()]);
            }
            add.extend(words(&grant.resources()));
            self.run(add)?;
        }
        Ok(())
    }

    fn run(&self, words: impl IntoIterator<Item = String>) -> Result<String, DevServerError> {
        let mut args: Vec<OsString> =
            vec!["--bootstrap-server".into(), self.bootstrap.clone().into()];
        args.extend(["--command-config".into(), self.properties.clone().into()]);
        args.extend(words.into_iter().map(OsString::from));
        fs::write(&self.log, "").map_err(DevServerError::files("emptying", &self.log))?;
        let args = arguments(&self.lib, &OPTIONS, TOOL, &args);
        Program::new(self.java.clone(), args, self.log.clone()).run()?;
        fs::read_to_string(&self.log).map_err(DevServerError::files("reading", &self.log))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
