//! What becomes of a penalty: by the rules alone, or by an officer.

use onenet_chassis::testing::elsewhere;
use onenet_kernel::{Key, NewEvent, StreamId};
use onenet_proto::{
    credit::v1::{
        CreditCaseState, ListCreditCasesRequest, NotOpened, NotOpenedOutcome,
        get_penalty_judgement_response::Judgement,
    },
    enforcement::v1::PenaltyTookEffect,
};

use crate::{
    steps::proposing,
    support::{World, effect, effect_of, new_id, organ, subject},
};

#[tokio::test]
async fn the_rules_judge_each_penalty_once_and_say_why_they_open_no_case() {
    let world = World::without_clock().await;
    let in_force_then = |effective_on: &str| PenaltyTookEffect {
        effective_on: effective_on.to_owned(),
        ..effect()
    };
    let mut farm = effect();
    farm.party.as_mut().unwrap().industry = "0111".to_owned();
    let mut smelter = effect();
    smelter.party.as_mut().unwrap().industry = "3110".to_owned();
    let mem11 = Some("MEM-11");
    for (effect, outcome, rule_set, triggers) in [
        (effect_of("V-TRAINING"), NotOpenedOutcome::NoTrigger, mem11, vec![]),
        (effect_of("V-RESCUE-ABANDONED"), NotOpenedOutcome::PersonsOnly, mem11, vec!["MEM11-A5"]),
        (farm, NotOpenedOutcome::OutOfScope, mem11, vec!["MEM11-B1"]),
        (smelter, NotOpenedOutcome::OfficerDecides, mem11, vec!["MEM11-B1"]),
        (in_force_then("2016-05-09"), NotOpenedOutcome::NoRuleSet, None, vec![]),
        (
            in_force_then("2020-05-08"),
            NotOpenedOutcome::RuleSetNotExecutable,
            Some("AZ2017-49"),
            vec!["AZ49-J02"],
        ),
    ] {
        let expected = NotOpened {
            outcome: outcome.into(),
            rule_set: rule_set.map(str::to_owned),
            triggers: triggers.into_iter().map(str::to_owned).collect(),
        };
        assert_eq!(world.judged(&effect).await, Judgement::NotOpened(expected));
    }
    // said twice, judged once
    let effect = effect();
    let case = world.opened(&effect).await;
    assert_eq!(world.opened(&effect).await, case);
    let list = ListCreditCasesRequest { subject: Some(subject()), ..Default::default() };
    let listed = world.credit(&organ()).list_credit_cases(list).await.unwrap().into_inner();
    assert_eq!(listed.credit_cases.len(), 1);
}

#[tokio::test]
async fn an_officer_opens_the_case_that_the_rules_left_open() {
    let world = World::without_clock().await;
    let effect = effect_of("V-TRAINING");
    world.judged(&effect).await;
    let mut client = world.credit(&organ());
    let request = proposing(&effect.case_id, "MEM11-B4");
    let proposed = client.propose_listing(request.clone()).await.unwrap().into_inner();
    let retried = client.propose_listing(request).await.unwrap().into_inner();
    assert_eq!(proposed, retried);
    let again = proposing(&effect.case_id, "MEM11-B4");
    let again = client.propose_listing(again).await.unwrap().into_inner();
    assert_eq!(again.receipt.unwrap().version, 2, "nothing was appended");

    let view = world.case(&proposed.credit_case_id, &[proposed.receipt.unwrap()]).await;
    assert_eq!((view.state(), view.trigger.as_str()), (CreditCaseState::Open, "MEM11-B4"));
    assert_eq!(view.proposal.unwrap().organ, organ());
    assert_eq!(world.judged(&effect).await, Judgement::CreditCaseId(proposed.credit_case_id));
}

#[tokio::test]
async fn what_enforcement_says_besides_is_heard_and_changes_nothing() {
    let world = World::without_clock().await;
    let effect = effect();
    let stream = StreamId::new("case", &effect.case_id);
    let said = |name: &str| NewEvent {
        event_type: format!("onenet.enforcement.v1.{name}").into(),
        payload: Vec::new().into(),
        key: Key { subject: subject(), ..Key::default() },
    };
    for name in ["CaseOpened", "PenaltyDecided"] {
        elsewhere::say(&world.node, "enforcement", &stream, said(name)).await.unwrap();
    }
    world.opened(&effect).await;
    // a type that this program does not know waits for one that does, and its subject with it
    let other = StreamId::new("case", &new_id());
    let said = elsewhere::say(&world.node, "enforcement", &other, said("PenaltyWithdrawn")).await;
    let receipt = onenet_chassis::receipt_to_wire(&said.unwrap());
    let list = ListCreditCasesRequest { fresh_as: vec![receipt], ..Default::default() };
    let answer = world.credit(&organ()).list_credit_cases(list).await.unwrap().into_inner();
    assert!(answer.incomplete);
}

#[tokio::test]
async fn lists_are_paged_and_narrowed() {
    use onenet_chassis::testing::uscc;
    use onenet_proto::{common::v1::PageRequest, credit::v1::ListCreditCasesResponse};

    use crate::support::other_organ;

    let world = World::without_clock().await;
    for serial in [5, 5, 6] {
        let mut effect = effect();
        let party = effect.party.as_mut().unwrap();
        party.uscc = uscc(serial);
        if serial == 6 {
            (party.division, party.industry) = ("410103".to_owned(), "0610".to_owned());
            effect.organ = other_organ();
        }
        world.opened(&effect).await;
    }
    let page = |page_size, page_token: String| ListCreditCasesRequest {
        page: Some(PageRequest { page_size, page_token }),
        ..Default::default()
    };
    let mut client = world.credit(&other_organ());
    let first = client.list_credit_cases(page(2, String::new())).await.unwrap().into_inner();
    let token = first.page.unwrap().next_page_token;
    let rest = client.list_credit_cases(page(2, token)).await.unwrap().into_inner();
    let ids = first.credit_cases.into_iter().chain(rest.credit_cases).map(|it| it.credit_case_id);
    let ids: Vec<_> = ids.collect();
    assert_eq!((ids.len(), ids.is_sorted()), (3, true));

    let all = ListCreditCasesRequest::default;
    let subtree = |code: &str| ListCreditCasesRequest { subtree: Some(code.to_owned()), ..all() };
    let open = CreditCaseState::Open.into();
    let listed = CreditCaseState::Listed.into();
    for (by, request, count) in [
        (other_organ(), subtree("410103"), 1),
        (other_organ(), ListCreditCasesRequest { subject: Some(uscc(5)), ..all() }, 2),
        (other_organ(), ListCreditCasesRequest { organ: Some(organ()), ..all() }, 2),
        (other_organ(), ListCreditCasesRequest { state: open, ..all() }, 3),
        (other_organ(), ListCreditCasesRequest { state: listed, ..all() }, 0),
        (organ(), all(), 2),
        (uscc(6), all(), 1),
        (uscc(9), all(), 0),
    ] {
        let answer = world.credit(&by).list_credit_cases(request.clone()).await.unwrap();
        let ListCreditCasesResponse { credit_cases, .. } = answer.into_inner();
        assert_eq!(credit_cases.len(), count, "{by}: {request:?}");
    }
}
