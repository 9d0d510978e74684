use onenet_devservers::{Grant, Operation, Resources, SecuredKafka};
use onenet_standards::Uscc;

use super::{PrivateError, PrivateNode};
use crate::{
    config::{KafkaSettings, NodeSettings},
    context::{Context, StartError},
    tools::topics,
};

impl PrivateNode {
    /// Makes the broker let this node and the readers of its settings do what they need, and nobody
    /// anything else. It blocks.
    pub fn permit(&self, kafka: &SecuredKafka, contexts: &[Context]) -> Result<(), PrivateError> {
        let Some(settings) = &self.settings.kafka else { return Ok(()) };
        let readers = self.settings.blacklist.readers().map_err(StartError::from)?;
        let made_for_others: Vec<String> = contexts
            .iter()
            .flat_map(|context| {
                let topics = topics(&self.settings, context.name);
                (context.beside)(settings)
                    .into_iter()
                    .map(move |beside| topics.beside(beside.name()))
            })
            .collect();
        let mut grants = of_the_node(&self.settings.node, settings);
        grants.extend(readers.iter().flat_map(|reader| of_a_reader(reader, &made_for_others)));
        Ok(kafka.permit(&grants)?)
    }
}

/// What relays, followers and `onenet migrate` do; docs/runbooks/kafka-access.md has the same for other
/// clusters.
fn of_the_node(node: &NodeSettings, KafkaSettings { prefix, .. }: &KafkaSettings) -> Vec<Grant> {
    use Operation::{Create, Describe, DescribeConfigs, Read, Write};
    let grant = |operations: &[Operation], resources| Grant {
        principal: node.name.clone(),
        operations: operations.to_vec(),
        resources,
    };
    let own = format!("{prefix}{}.", node.name);
    vec![
        grant(
            &[Create, Describe, DescribeConfigs, Read, Write],
            Resources::TopicsFrom(format!("{prefix}onenet.")),
        ),
        grant(&[Describe, Write], Resources::TransactionsFrom(own.clone())),
        // it joins none, and yet its client asks for their coordinator
        grant(&[Describe], Resources::GroupsFrom(own)),
    ]
}

/// What leaves the node, and groups that no other reader can join.
fn of_a_reader(reader: &Uscc, topics: &[String]) -> [Grant; 2] {
    let grant = |operations: &[Operation], resources| Grant {
        principal: reader.to_string(),
        operations: operations.to_vec(),
        resources,
    };
    [
        grant(&[Operation::Read, Operation::Describe], Resources::Topics(topics.to_vec())),
        grant(&[Operation::Read], Resources::GroupsFrom(format!("{reader}."))),
    ]
}
