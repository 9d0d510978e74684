use anyhow::{Context as _, Result};
use onenet_chassis::Context;

/// Every context of the network, in the order in which their schemas and topics are made.
pub(crate) fn all() -> Vec<Context> {
    vec![
        onenet_enterprise::context(),
        onenet_hazard::context(),
        onenet_enforcement::context(),
        onenet_credit::context(),
        onenet_exchange::context(),
    ]
}

/// The context of that name.
pub(crate) fn named(name: &str) -> Option<Context> {
    all().into_iter().find(|context| context.name == name)
}

/// The one that is named, or all; a name that is none says which there are.
pub(crate) fn chosen(name: Option<&str>) -> Result<Vec<Context>> {
    let Some(name) = name else { return Ok(all()) };
    let context = named(name);
    let context =
        context.with_context(|| format!("there is no context {name}; there are {}", names()))?;
    Ok(vec![context])
}

/// Names of all contexts, for a person.
pub(crate) fn names() -> String {
    all().iter().map(|context| context.name).collect::<Vec<_>>().join(", ")
}
