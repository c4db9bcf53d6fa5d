//! Entity tags: two answers of one address that differ have tags that differ, whatever was asked and by which method.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::http::Method;
use serde_json::Value;

use super::{
    files::{ASKED, Kind},
    operations::{Case, Operation, operations, text},
    replaced::cases_of,
    service::Service,
};

/// A parameter with a value to try.
type Choice = (String, Value);

/// The optional parameters of an operation, each with the values that are documented of it, here or in the body of the same address.
fn choices(operation: &Operation, all: &[Operation]) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    let mut add = |name: &str, value: &Value| {
        let choice = (name.to_owned(), value.clone());
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    };
    if let Some(body) = &operation.body {
        for member in &body.members {
            member.values.iter().for_each(|value| add(&member.name, value));
        }
        return choices;
    }
    let twins: Vec<&Operation> = all.iter().filter(|other| other.template == operation.template).collect();
    for parameter in operation.parameters.iter().filter(|parameter| !parameter.is_in_path) {
        let documented = twins.iter().filter_map(|twin| twin.parameter(&parameter.name)).flat_map(|twin| &twin.values);
        let examples = parameter.example.iter().chain(&parameter.values).chain(documented);
        // A list has another form in a query, if any.
        examples.filter(|value| !value.is_array()).for_each(|value| add(&parameter.name, value));
    }
    choices
}

/// Each example with every choice, and the first with every two of them.
fn sweep(operation: &Operation, all: &[Operation]) -> Vec<Case> {
    let choices = choices(operation, all);
    let mut cases = Vec::new();
    for (number, case) in operation.cases().into_iter().enumerate() {
        for (index, (name, value)) in choices.iter().enumerate() {
            let one = case.clone().with(name, value);
            let others = choices.iter().skip(index + 1).filter(|(other, _)| number == 0 && other != name);
            cases.extend(others.map(|(other, value)| one.clone().with(other, value)));
            cases.push(one);
        }
        cases.push(case);
    }
    let mut seen = HashSet::new();
    cases.retain(|case| seen.insert(format!("{:?} {:?}", sorted(&case.parameters), case.body)));
    cases
}

fn sorted(parameters: &[(String, String)]) -> BTreeMap<&String, &String> {
    parameters.iter().map(|(name, value)| (name, value)).collect()
}

#[test]
fn answers_that_differ_have_tags_that_differ() {
    let files = Kind::named("checked").copy("tags");
    let service = Service::over(&files.folder);
    let all = operations(&service.app);
    let mut faults = Vec::new();
    let (mut n_tagged, mut n_asked) = (0, 0);
    let mut by_path: HashMap<String, HashMap<String, (Vec<u8>, String)>> = HashMap::new();
    for operation in &all {
        for case in sweep(operation, &all).into_iter().filter(Case::reads_file) {
            n_asked += 1;
            let answer = service.ask(case.ask_for(ASKED));
            let shown = format!(
                "{} {:?} {}",
                operation.name(),
                case.parameters,
                case.body.as_ref().map_or(String::new(), text)
            );
            if answer.status >= 500 {
                faults.push(format!("{shown}: {}", answer.shown()));
            }
            let Some(tag) = answer.tag().filter(|_| answer.is_ok()) else { continue };
            n_tagged += 1;
            // A weak tag and a strong one of the same text are one to `If-None-Match`.
            let tag = tag.trim_start_matches("W/").to_owned();
            let known = by_path.entry(operation.template.clone()).or_default();
            let (body, other) = known.entry(tag.clone()).or_insert_with(|| (answer.body.clone(), shown.clone()));
            if *body != answer.body {
                faults.push(format!("{tag} is of two bodies:\n  {other}\n  {shown}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_tagged > 500, "{n_tagged} of {n_asked} answers have a tag");
}

#[test]
fn the_answer_to_head_has_the_headers_of_get() {
    for kind in Kind::all() {
        let files = kind.copy("head");
        let service = Service::over(&files.folder);
        for case in cases_of(&kind, &service).iter().filter(|case| case.operation.method == Method::GET) {
            let get = service.ask(case.ask_for(ASKED));
            let mut request = case.ask_for(ASKED);
            *request.method_mut() = Method::HEAD;
            let head = service.ask(request);
            assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{}: {}", kind.name, case.label);
            assert!(head.body.is_empty(), "{}: {}", kind.name, case.label);
        }
    }
}
