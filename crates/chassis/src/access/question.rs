use jiff::civil::Date;
use prost::Message;

use super::{Caller, Matter, is_agency, of_caller};
use crate::day;

/// All that policies can see of what is asked, as bytes: where these are the same, so is the answer.
pub(super) fn question(caller: &Caller, action: &str, matter: &Matter<'_>, on: Date) -> Vec<u8> {
    // taken apart whole, so that nothing that is added can be forgotten here
    let Caller { uscc, is_operator, office, agency: _, certificate_sha256: _ } = caller;
    let Matter { chain, industry, subject: _, organ: _ } = matter;
    let mut asked = Vec::with_capacity(512);
    asked.extend([u8::from(*is_operator), u8::from(is_agency(caller))]);
    asked.extend(of_caller(caller, matter).map(u8::from));
    asked.extend(day::number(on).to_be_bytes());
    part(&mut asked, office.as_ref().map(Message::encode_to_vec).as_deref());
    let texts = [uscc.as_str(), action, industry].into_iter();
    for text in texts.chain(chain.iter().map(String::as_str)) {
        part(&mut asked, Some(text.as_bytes()));
    }
    asked
}

/// With its length before it, so that no two parts can be taken for others.
fn part(asked: &mut Vec<u8>, bytes: Option<&[u8]>) {
    asked.push(u8::from(bytes.is_some()));
    let bytes = bytes.unwrap_or_default();
    asked.extend((bytes.len() as u64).to_be_bytes());
    asked.extend(bytes);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
    use onenet_proto::enterprise::v1::Organisation;

    use super::*;
    use crate::{access::AgencyStanding, testing::uscc};

    #[test]
    fn whatever_a_policy_can_see_makes_it_another_question() {
        let agency = |is_certificate_registered| {
            Some(AgencyStanding { division: "41".to_owned(), is_certificate_registered })
        };
        let caller = |serial: u32| Caller {
            uscc: uscc(serial).parse().unwrap(),
            is_operator: false,
            office: None,
            agency: None,
            certificate_sha256: [0; 32],
        };
        let office = Organisation { uscc: uscc(1), ..Organisation::default() };
        let callers = [
            caller(1),
            caller(2),
            Caller { is_operator: true, ..caller(1) },
            Caller { agency: agency(true), ..caller(1) },
            Caller { office: Some(Organisation::default()), ..caller(1) },
            Caller { office: Some(office), ..caller(1) },
        ];
        let chain = |codes: &[&str]| codes.iter().map(|&code| code.to_owned()).collect();
        let plain = Matter { chain: chain(&["4101", "41"]), ..Matter::default() };
        let itself = uscc(1);
        let matters = [
            plain.clone(),
            Matter::default(),
            Matter { chain: chain(&["410", "141"]), ..plain.clone() },
            Matter { industry: "26", ..plain.clone() },
            Matter { organ: Some(&itself), ..plain.clone() },
        ];
        let mut questions = BTreeSet::new();
        for caller in &callers {
            for matter in &matters {
                for action in ["ListGrants", "GiveGrant"] {
                    for on in [date(2026, 11, 28), date(2026, 11, 29)] {
                        questions.insert(question(caller, action, matter, on));
                    }
                }
            }
        }
        // to the second caller, the matter in the first one's charge is like any other
        assert_eq!(questions.len(), (callers.len() * matters.len() - 1) * 2 * 2);
        // what policies cannot see makes none
        let other = Caller { certificate_sha256: [1; 32], agency: agency(false), ..caller(1) };
        let somebody = uscc(7);
        let matter = Matter { subject: Some(&somebody), organ: Some(&somebody), ..plain };
        assert!(!questions.insert(question(&other, "ListGrants", &matter, date(2026, 11, 28))));
    }
}
