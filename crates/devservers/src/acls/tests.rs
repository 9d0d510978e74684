use super::*;

const LISTED: &str = "\
Current ACLs for resource `ResourcePattern(resourceType=TOPIC, name=b, patternType=LITERAL)`:
 \t(principal=User:one, host=*, operation=READ, permissionType=ALLOW)
\t(principal=User:one, host=*, operation=DESCRIBE, permissionType=ALLOW)

Current ACLs for resource `ResourcePattern(resourceType=GROUP, name=one., patternType=PREFIXED)`:
 \t(principal=User:one, host=*, operation=READ, permissionType=ALLOW)
";

fn grant(principal: &str, operations: &[Operation], resources: Resources) -> Grant {
    Grant { principal: principal.to_owned(), operations: operations.to_vec(), resources }
}

fn reader(principal: &str) -> [Grant; 2] {
    let both = [Operation::Read, Operation::Describe];
    [
        grant(principal, &both, Resources::Topics(vec!["b".to_owned()])),
        grant(principal, &[Operation::Read], Resources::GroupsFrom(format!("{principal}."))),
    ]
}

fn resource(kind: &str, name: &str, pattern: &str) -> Resource {
    Resource { kind: kind.to_owned(), name: name.to_owned(), pattern: pattern.to_owned() }
}

#[test]
fn lists_that_hold_the_grants_are_left_alone() {
    let (lists, grants) = (read(LISTED), reader("one"));
    assert_eq!(lists.len(), 2);
    assert_eq!(changes(&lists, &grants), Changes { empty: vec![], add: vec![] });
}

#[test]
fn a_missing_grant_is_added_beside_what_is_there() {
    let (lists, grants) = (read(LISTED), [reader("one"), reader("two")].concat());
    let added: Vec<_> = grants[2..].iter().collect();
    assert_eq!(changes(&lists, &grants), Changes { empty: vec![], add: added });
}

#[test]
fn a_list_with_anything_more_is_made_anew() {
    let topic = resource("TOPIC", "b", "LITERAL");
    let group = resource("GROUP", "one.", "PREFIXED");
    let (lists, both) = (read(LISTED), [reader("one"), reader("two")].concat());
    let all = changes(&lists, &[]);
    assert_eq!(all, Changes { empty: vec![&group, &topic], add: vec![] }, "nobody is left");

    // the other reader shares the topic, and has it again
    let other = changes(&lists, &both[2..]);
    let added: Vec<_> = both[2..].iter().collect();
    assert_eq!(other, Changes { empty: vec![&group, &topic], add: added });

    let denied = LISTED
        .replace("operation=DESCRIBE, permissionType=ALLOW", "operation=ALL, permissionType=DENY");
    let (lists, grants) = (read(&denied), reader("one"));
    assert_eq!(changes(&lists, &grants), Changes { empty: vec![&topic], add: vec![&grants[0]] });
}

#[test]
fn the_tool_is_told_in_its_own_words() {
    let two = ["a", "b"].map(|name| resource("TRANSACTIONAL_ID", name, "PREFIXED"));
    let told = "--transactional-id a --transactional-id b --resource-pattern-type prefixed";
    assert_eq!(words(&two).join(" "), told);
}
