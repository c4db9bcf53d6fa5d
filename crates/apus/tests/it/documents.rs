//! What the protocols document, which all other tests rest on.

use std::collections::BTreeSet;

use apus::{auth::Authenticator, config::Config, protocol};
use apus_data::store::{Mount, MountSource};
use axum::{
    body::Body,
    http::{Request, header},
};
use base64::Engine;

use super::{
    operations::{DEMO, Operation, operations},
    service::{RUNTIME, Service},
};

/// The files of `apus demo`.
const FILES: [(&str, &[u8]); 2] = [
    (DEMO, include_bytes!("../../../../demo/cosmic_web_0002.hdf5")),
    ("fof_cosmic_web_0002.hdf5", include_bytes!("../../../../demo/fof_cosmic_web_0002.hdf5")),
];

/// The service that `apus demo` starts.
pub(crate) fn demo() -> Service {
    let config = Config::of_mounts(vec![Mount::new("", MountSource::Memory(FILES.to_vec()))]);
    Service::new(config, RUNTIME.block_on(Authenticator::demo()).unwrap())
}

/// So that they work as they stand in `/docs`, and that every other test has what it asks with.
#[test]
fn every_example_works_on_the_demonstration() {
    let service = demo();
    let mut faults = Vec::new();
    let mut labels = BTreeSet::new();
    for operation in operations(&service.app) {
        let needs: Vec<&str> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.is_required && parameter.example.is_none())
            .map(|parameter| parameter.name.as_str())
            .collect();
        assert!(needs.is_empty(), "{}: no example of {needs:?}", operation.name());
        assert!(
            operation.body.as_ref().is_none_or(|body| !body.examples.is_empty()),
            "{}: no example of its body",
            operation.name()
        );
        for case in operation.cases() {
            let account = operation.is_secured.then_some("demo");
            let answer = service.ask(case.request(DEMO, account));
            if !answer.is_ok() {
                faults.push(format!("{}: {}", case.label, answer.shown()));
            }
            assert!(labels.insert(case.label.clone()), "{} twice", case.label);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let labels: Vec<String> = labels.into_iter().collect();
    insta::assert_snapshot!("cases", labels.join("\n"));
}

/// In an example, here or in the body of the same address: so the sweep over entity tags reaches it.
#[test]
fn every_optional_parameter_has_a_value_to_try() {
    let service = demo();
    let operations = operations(&service.app);
    let mut without = Vec::new();
    for operation in &operations {
        let twin =
            |name: &str| operations.iter().any(|other| other.template == operation.template && has_value(other, name));
        let members = operation.body.iter().flat_map(|body| &body.members);
        let optional = operation.parameters.iter().chain(members).filter(|parameter| !parameter.is_required);
        without.extend(
            optional
                .filter(|parameter| !twin(&parameter.name))
                .map(|parameter| format!("{}: {}", operation.name(), parameter.name)),
        );
    }
    // An alias is of a configuration: the demonstration has none.
    without.retain(|text| !text.ends_with(": alias"));
    assert!(without.is_empty(), "{without:#?}");
}

fn has_value(operation: &Operation, name: &str) -> bool {
    operation.parameter(name).is_some_and(|parameter| parameter.example.is_some() || !parameter.values.is_empty())
}

/// Pages with their pictures and scripts, and the document itself, are for readers and not among the operations.
#[test]
fn every_route_is_documented() {
    let service = demo();
    let documented: BTreeSet<String> =
        operations(&service.app).iter().map(|operation| bare(&operation.template)).collect();
    let mut n_routes = 0;
    for protocol in protocol::all(&service.app) {
        // axum tells its routes nowhere but here: `{0: "/v1/info/{*path}", ...}`.
        let text = format!("{:?}", protocol.router);
        let (_, paths) = text.split_once("paths: {").unwrap();
        let (paths, _) = paths.split_once("\" }").or_else(|| paths.split_once("\"}")).unwrap();
        let routes = paths.split('"').filter(|text| text.starts_with('/'));
        for route in routes {
            n_routes += 1;
            if documented.contains(&bare(route)) || route == "/icon.svg" || route.starts_with("/assets/") {
                continue;
            }
            let uri = route.replace("{*path}", "x").replace("{*file}", "index.html");
            let page = service.ask(Request::get(&uri).body(Body::empty()).unwrap());
            let is_page = page.header("content-type").is_some_and(|media_type| media_type.starts_with("text/html"));
            assert!(
                is_page || page.status == 308 || uri == "/openapi.json" || page.status == 400,
                "{route} is not documented: {}",
                page.shown()
            );
        }
    }
    assert!(n_routes > 30, "{n_routes} routes were found: has axum changed how it shows them?");
}

/// A route without what may be empty at its end, and without the names of its parts.
fn bare(route: &str) -> String {
    let route = route.replace("{*", "{");
    let cut = route.find('{').unwrap_or(route.len());
    route[..cut].trim_end_matches('/').to_owned()
}

#[test]
fn the_document() {
    let service = demo();
    let answer = service.ask(Request::get("/openapi.json").body(Body::empty()).unwrap());
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    // Its maps are sorted.
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).unwrap());
}

/// The token that the example asks for opens what wants one.
#[test]
fn the_example_of_a_token_is_good() {
    let service = demo();
    let case = operations(&service.app)
        .iter()
        .flat_map(Operation::cases)
        .find(|case| case.operation.template == "/token")
        .unwrap();
    let token: serde_json::Value = serde_json::from_slice(&service.ask(case.request(DEMO, None)).body).unwrap();
    let request = |authorization: String| {
        Request::get("/protected/").header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap()
    };
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    assert!(service.ask(request(bearer)).is_ok());
    let basic = base64::engine::general_purpose::STANDARD.encode("demo:demo");
    assert!(service.ask(request(format!("Basic {basic}"))).is_ok());
}
