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

/// Names of all contexts, for a person.
pub(crate) fn names() -> String {
    all().iter().map(|context| context.name).collect::<Vec<_>>().join(", ")
}
