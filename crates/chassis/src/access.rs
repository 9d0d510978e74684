//! Who may do what: Cedar policies over caller, action and matter, default deny. Each context brings
//! its policies; the actions are the RPCs of its contract.

mod question;

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
};

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, PolicyId, PolicySet, Request, RestrictedExpression as Value, Schema, ValidationMode,
    Validator,
};
use jiff::civil::Date;
use onenet_proto::enterprise::v1::{Organisation, OrganisationFunction, Tier};
use onenet_standards::Uscc;
use prost_types::FileDescriptorSet;

use self::question::question;
use crate::{Refusal, day, field, memo::Memo};

const BASE: &str = include_str!("../policies/base.cedarschema");

/// An organisation and what it is.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its code, from the certificate.
    pub uscc: Uscc,
    /// Whether configuration names it as the node's operator.
    pub is_operator: bool,
    /// What the register says of it; an enterprise or an agency has none.
    pub office: Option<Organisation>,
    /// What it is as an agency, in contexts that follow exchange.
    pub agency: Option<AgencyStanding>,
    /// Fingerprint of the certificate it came with; all zero for the node itself.
    pub certificate_sha256: [u8; 32],
}

/// An agency (接入单位) as it stands behind a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgencyStanding {
    /// The division it is registered in.
    pub division: String,
    /// Whether the certificate of the call is one of its own: without, it may nothing as an agency.
    pub is_certificate_registered: bool,
}

/// What is acted on, as far as policies ask.
#[derive(Clone, Debug, Default)]
pub struct Matter<'a> {
    /// The division it belongs to and all above it, itself first.
    pub chain: Vec<String>,
    /// Its GB/T 4754 code; empty where none.
    pub industry: &'a str,
    /// Whom it is about.
    pub subject: Option<&'a str>,
    /// The organ in charge.
    pub organ: Option<&'a str>,
}

/// The policies do not fit the contracts.
#[derive(Debug, thiserror::Error)]
#[error("the access policies of {context} do not fit: {reason}")]
pub struct PolicyError {
    context: String,
    reason: String,
}

/// The policies of a context.
pub struct Policies {
    schema: Schema,
    set: PolicySet,
    /// Which policies could have permitted an action: what a refusal names.
    by_action: HashMap<String, String>,
    /// What was decided: policies do not change while the process lives, and asking them costs more than
    /// anything else about a command.
    decided: Memo<Arc<Decided>>,
}

/// An answer of the policies, and the names of those that gave it.
struct Decided {
    is_permitted: bool,
    rules: String,
}

impl Policies {
    /// Reads a context's policies and checks them against its contract: each action is an RPC, and
    /// each RPC that is to be authorised has a policy.
    pub fn read(context: &str, text: &str) -> Result<Self, PolicyError> {
        let wrong = |reason: String| PolicyError { context: context.to_owned(), reason };
        let actions =
            rpcs(&format!("onenet.{context}.v1")).map_err(|error| wrong(error.to_string()))?;
        let mut schema = BASE.to_owned();
        for action in &actions {
            let applies =
                "appliesTo { principal: [Caller], resource: [Matter], context: { on: Long } }";
            writeln!(schema, "action {action} {applies};")
                .map_err(|error| wrong(error.to_string()))?;
        }
        let (schema, _) =
            Schema::from_cedarschema_str(&schema).map_err(|error| wrong(format!("{error:?}")))?;
        let policies = named(text).map_err(wrong)?;
        let found = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !found.validation_passed() {
            return Err(wrong(found.to_string()));
        }
        let by_action: HashMap<String, String> = actions
            .into_iter()
            .map(|action| {
                let rule = could_permit(&policies, &action);
                (action, rule)
            })
            .collect();
        if let Some((action, _)) = by_action.iter().find(|(_, rule)| rule.is_empty()) {
            return Err(wrong(format!("no policy speaks of {action}, so nobody may do it")));
        }
        Ok(Self { schema, set: policies, by_action, decided: Memo::default() })
    }

    /// Every action of the contract, whether or not a policy permits it.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.by_action.keys().map(String::as_str)
    }

    /// Permits or refuses; the policy that decided is logged.
    pub fn decide(
        &self,
        caller: &Caller,
        action: &str,
        matter: &Matter<'_>,
        on: Date,
    ) -> Result<(), Refusal> {
        let ask = || self.ask(caller, action, matter, on);
        let decided = self.decided.answer(&question(caller, action, matter, on), ask);
        let decided = decided.map_err(Refusal::internal)?;
        let rules = decided.rules.as_str();
        if decided.is_permitted {
            tracing::debug!(caller = caller.uscc.as_str(), action, rules, "permitted");
            return Ok(());
        }
        let could_permit = || self.by_action.get(action).map(String::as_str);
        let rule = if rules.is_empty() { could_permit() } else { Some(rules) };
        Err(Refusal::not_authorised(rule.unwrap_or_default()))
    }

    fn ask(
        &self,
        caller: &Caller,
        action: &str,
        matter: &Matter<'_>,
        on: Date,
    ) -> Result<Arc<Decided>, Failed> {
        let principal = uid("Caller", caller.uscc.as_str())?;
        let resource = uid("Matter", "it")?;
        let mut entities = divisions(&matter.chain)?;
        let mut attributes = HashMap::from([
            ("operator".to_owned(), Value::new_bool(caller.is_operator)),
            ("agency".to_owned(), Value::new_bool(is_agency(caller))),
        ]);
        if let Some(office) = &caller.office {
            attributes.insert("office".to_owned(), office_record(office)?);
        }
        entities.push(Entity::new(principal.clone(), attributes, HashSet::new())?);
        let [is_about_caller, is_in_callers_charge] = of_caller(caller, matter);
        let attributes = HashMap::from([
            ("industries".to_owned(), Value::new_set(prefixes(matter.industry))),
            ("is_about_caller".to_owned(), Value::new_bool(is_about_caller)),
            ("is_in_callers_charge".to_owned(), Value::new_bool(is_in_callers_charge)),
        ]);
        let parents = matter.chain.first().map(|code| uid("Division", code)).transpose()?;
        entities.push(Entity::new(resource.clone(), attributes, parents.into_iter().collect())?);
        // what is asked is made here, and tests ask everything: only they need it held against the schema
        let schema = cfg!(debug_assertions).then_some(&self.schema);
        let entities = Entities::from_entities(entities, schema)?;
        let context = Context::from_pairs([("on".to_owned(), Value::new_long(day::number(on)))])?;
        let request = Request::new(principal, uid("Action", action)?, resource, context, schema)?;
        let answer = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let rules: Vec<String> = answer.diagnostics().reason().map(ToString::to_string).collect();
        let is_permitted = answer.decision() == Decision::Allow;
        Ok(Arc::new(Decided { is_permitted, rules: rules.join(", ") }))
    }
}

fn is_agency(caller: &Caller) -> bool {
    caller.agency.as_ref().is_some_and(|agency| agency.is_certificate_registered)
}

/// Whether the caller is whom it is about, and the organ in charge. Policies see no more of either, so that
/// what was decided of one enterprise holds for the next in its place.
fn of_caller(caller: &Caller, matter: &Matter<'_>) -> [bool; 2] {
    [matter.subject, matter.organ].map(|party| party == Some(caller.uscc.as_str()))
}

/// Gives each policy the name in its `@id`, which every policy must have.
fn named(text: &str) -> Result<PolicySet, String> {
    let unnamed: PolicySet = text.parse().map_err(|error| format!("{error:?}"))?;
    let mut named = PolicySet::new();
    for policy in unnamed.policies() {
        let id = policy.annotation("id").ok_or("a policy has no @id")?;
        named.add(policy.new_id(PolicyId::new(id))).map_err(|error| error.to_string())?;
    }
    Ok(named)
}

fn could_permit(policies: &PolicySet, action: &str) -> String {
    let names = |uid: &EntityUid| uid.id().unescaped() == action;
    let mut rules: Vec<String> = policies
        .policies()
        .filter(|policy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => names(&uid),
            ActionConstraint::In(uids) => uids.iter().any(names),
        })
        .map(|policy| policy.id().to_string())
        .collect();
    rules.sort();
    rules.join(", ")
}

/// Names of the RPCs of a package.
fn rpcs(package: &str) -> Result<Vec<String>, prost::DecodeError> {
    let set: FileDescriptorSet = prost::Message::decode(onenet_proto::DESCRIPTORS)?;
    let services =
        set.file.iter().filter(|file| file.package() == package).flat_map(|file| &file.service);
    Ok(services
        .flat_map(|service| &service.method)
        .map(|method| method.name().to_owned())
        .collect())
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn uid(kind: &str, id: &str) -> Result<EntityUid, Failed> {
    let kind: EntityTypeName = kind.parse()?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn divisions(chain: &[String]) -> Result<Vec<Entity>, Failed> {
    (1..)
        .zip(chain)
        .map(|(next, code)| {
            let parents = chain.get(next).map(|parent| uid("Division", parent)).transpose()?;
            let parents = parents.into_iter().collect();
            Ok(Entity::new(uid("Division", code)?, HashMap::new(), parents)?)
        })
        .collect()
}

fn office_record(office: &Organisation) -> Result<Value, Failed> {
    let functions =
        office.functions().map(|function| Value::new_string(function_name(function).to_owned()));
    let industries = office.industries.iter().map(|prefix| Value::new_string(prefix.clone()));
    let mut fields = vec![
        ("tier".to_owned(), Value::new_long(i64::from(tier(office.tier())))),
        ("division".to_owned(), Value::new_entity_uid(uid("Division", &office.division)?)),
        ("functions".to_owned(), Value::new_set(functions)),
        ("industries".to_owned(), Value::new_set(industries)),
    ];
    if let Some(power) = &office.enforcement_power {
        let number = |path, text: &str| field::day(path, text).map(day::number);
        let from = number("from_on", &power.from_on)?;
        let to = match &power.to_on {
            Some(text) => number("to_on", text)?,
            None => i64::MAX,
        };
        let power =
            [("from".to_owned(), Value::new_long(from)), ("to".to_owned(), Value::new_long(to))];
        fields.push(("power".to_owned(), Value::new_record(power)?));
    }
    Ok(Value::new_record(fields)?)
}

fn tier(tier: Tier) -> u8 {
    match tier {
        Tier::National => 1,
        Tier::Province => 2,
        Tier::City => 3,
        Tier::County => 4,
        Tier::Township | Tier::Unspecified => 5,
    }
}

fn function_name(function: OrganisationFunction) -> &'static str {
    match function {
        OrganisationFunction::Comprehensive => "comprehensive",
        OrganisationFunction::Industry => "industry",
        OrganisationFunction::SafetyAdministration => "safety_administration",
        OrganisationFunction::Dispatched => "dispatched",
        OrganisationFunction::Support | OrganisationFunction::Unspecified => "support",
    }
}

fn prefixes(industry: &str) -> Vec<Value> {
    (1..=industry.len())
        .filter_map(|end| industry.get(..end))
        .map(|prefix| Value::new_string(prefix.to_owned()))
        .collect()
}
