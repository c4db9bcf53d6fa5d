//! Answers to requests that cannot be answered: their statuses, headers and bodies, in each protocol's form.

use std::{collections::BTreeMap, fmt::Write, fs};

use axum::{
    body::Body,
    http::{HeaderName, Method, Request, header},
};

use super::{
    files::{ASKED, Kind},
    operations::{Case, operations},
    service::{Answer, Service, folder_mount},
};

fn with_header(mut request: Request<Body>, name: HeaderName, value: &'static str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

fn with_uri(mut request: Request<Body>, change: impl Fn(&str) -> String) -> Request<Body> {
    *request.uri_mut() = change(&request.uri().to_string()).parse().unwrap();
    request
}

fn with_method(mut request: Request<Body>, method: Method) -> Request<Body> {
    *request.method_mut() = method;
    request
}

fn with_body(request: Request<Body>, body: impl Into<Body>) -> Request<Body> {
    request.map(|_| body.into())
}

/// What is wrong with a request, and how it gets so.
type Wrong = (&'static str, fn(&Case) -> Request<Body>);

const WRONGS: [Wrong; 13] = [
    ("no such file", |case| case.ask_for("never.hdf5")),
    ("a folder", |case| case.ask_for("folder")),
    ("no HDF5", |case| case.ask_for("text.hdf5")),
    ("a path that climbs", |case| case.ask_for("..")),
    ("a parameter that there is not", |case| {
        with_uri(case.ask_for(ASKED), |uri| format!("{uri}{}nonsense=1", if uri.contains('?') { '&' } else { '?' }))
    }),
    ("credentials that are not good", |case| {
        with_header(case.ask_for(ASKED), header::AUTHORIZATION, "Bearer nonsense")
    }),
    ("no credentials", |case| case.request(ASKED, None)),
    ("another method", |case| with_method(case.ask_for(ASKED), Method::DELETE)),
    ("If-Match of another state", |case| with_header(case.ask_for(ASKED), header::IF_MATCH, "\"another\"")),
    ("a range outside", |case| with_header(case.ask_for(ASKED), header::RANGE, "bytes=99999999999-")),
    ("a body of another type", |case| {
        with_header(with_body(case.ask_for(ASKED), "nonsense"), header::CONTENT_TYPE, "text/plain")
    }),
    ("a body that is nonsense", |case| with_body(case.ask_for(ASKED), "\"nonsense\"")),
    ("a body that is too long", |case| with_body(case.ask_for(ASKED), " ".repeat(2000))),
];

#[test]
fn errors_are_told_in_each_protocols_form() {
    let files = Kind::named("contiguous").copy("errors");
    fs::write(files.folder.join("text.hdf5"), "this is no HDF5").unwrap();
    fs::create_dir(files.folder.join("folder")).unwrap();
    let service = Service::with(folder_mount("", &files.folder), |config| {
        config.limits.query_bytes = 1000;
        config.limits.slices_body_bytes = 1000;
    });
    let tight = Service::with(folder_mount("", &files.folder), |config| {
        config.limits.answer_bytes = 16;
        config.limits.held_bytes = 16;
    });
    // What was told, and by whom.
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut tell = |what: &str, case: &Case, answer: &Answer| {
        assert!(answer.status < 500, "{what}: {}: {}", case.label, answer.shown());
        if answer.status >= 400 {
            told.entry(format!("{} {what}\n{}", answer.status, shown(answer))).or_default().push(case.operation.name());
        }
    };
    for operation in operations(&service.app) {
        let Some(case) = operation.cases().into_iter().find(Case::reads_file) else { continue };
        for (what, wrong) in WRONGS {
            // An answer that needs no body is not told of one.
            if what.contains("body") && case.body.is_none() {
                continue;
            }
            tell(what, &case, &service.ask(wrong(&case)));
        }
        for case in operation.cases() {
            tell("more than is answered with", &case, &tight.ask(case.ask_for(ASKED)));
        }
    }
    let mut text = String::new();
    for (answer, mut by) in told {
        by.dedup();
        writeln!(text, "{answer}\n  {}\n", by.join("\n  ")).unwrap();
    }
    insta::assert_snapshot!("errors", text);
}

/// Addresses that nobody serves.
#[test]
fn addresses_that_there_are_not() {
    let files = Kind::named("contiguous").copy("nowhere");
    let service = Service::over(&files.folder);
    let mut text = String::new();
    for uri in
        ["/nowhere", "/v1/nowhere", "/v1", "/hdfstream/nowhere", "/swiftdata/nowhere", "/tokens", "/docs/nowhere"]
    {
        let answer = service.ask(Request::get(uri).body(Body::empty()).unwrap());
        writeln!(text, "{uri}\n{} {}\n", answer.status, shown(&answer)).unwrap();
    }
    insta::assert_snapshot!("nowhere", text);
}

/// Headers and body, in lines.
fn shown(answer: &Answer) -> String {
    let mut text = String::new();
    let mut headers: Vec<String> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    // Those of every answer; and the length, which differs where a name does.
    let is_of_all = |header: &String| {
        ["access-control-expose-headers", "content-length", "vary: origin", "x-content-type-options"]
            .iter()
            .any(|name| header.starts_with(name))
    };
    headers.retain(|header| !is_of_all(header));
    for header in headers {
        writeln!(text, "  {header}").unwrap();
    }
    let body: String = answer.body.iter().take(600).flat_map(|&byte| byte.escape_ascii()).map(char::from).collect();
    without_tags(&(text + "  " + &body.replace("\\\"", "\"").replace("\\'", "'")))
}

/// Entity tags depend on where the file lies: each is replaced.
fn without_tags(text: &str) -> String {
    let parts = text.split_inclusive('"').map(|part| {
        let tag = part.trim_end_matches(['"', '\\']);
        let is_tag = tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_tag { part.replace(tag, "TAG") } else { part.to_owned() }
    });
    parts.collect()
}
