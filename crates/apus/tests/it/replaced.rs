//! A file that is put in the place of another: whoever asks next has its values, under another entity tag.

use axum::http::header;

use super::{
    files::{ASKED, Files, Kind},
    operations::{Case, file_cases},
    service::{Answer, Service},
};

#[test]
fn the_next_answer_is_of_the_new_file_and_has_another_tag() {
    let mut faults = Vec::new();
    for kind in Kind::all() {
        let files = kind.copy("replaced");
        let service = Service::over(&files.folder);
        let cases = cases_of(&kind, &service);
        let before: Vec<Answer> = cases.iter().map(|case| service.ask(case.ask_for(ASKED))).collect();
        files.replace(1);
        // What a service answers that remembers nothing.
        let fresh = Service::over(&files.folder);
        let mut n_of_values = 0;
        for (case, before) in cases.iter().zip(&before).filter(|(_, before)| before.is_ok()) {
            let expect = fresh.ask(case.ask_for(ASKED));
            n_of_values += usize::from(expect.body != before.body);
            let mut fault = |what: &str| faults.push(format!("{}: {}: {what}", kind.name, case.label));
            check(&service, &files, case, before, &expect, &mut fault);
        }
        assert!(n_of_values >= 30, "{}: only {n_of_values} cases depend on values", kind.name);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn check(
    service: &Service,
    files: &Files,
    case: &Case,
    before: &Answer,
    expect: &Answer,
    fault: &mut impl FnMut(&str),
) {
    let after = service.ask(case.ask_for(ASKED));
    if after != *expect {
        fault(&format!("{} instead of {}", after.shown(), expect.shown()));
    }
    let (Some(old), Some(new)) = (before.tag(), expect.tag()) else { return };
    let is_other = old != new;
    // An answer that nothing of the innermost file stands in may keep its tag.
    if !is_other && (files.kind.is_direct() || before.body != expect.body) {
        fault("the tag is the old one");
    }
    let ask = |headers: &[(header::HeaderName, &str)]| {
        let mut request = case.ask_for(ASKED);
        headers.iter().for_each(|(name, value)| drop(request.headers_mut().insert(name, value.parse().unwrap())));
        service.ask(request)
    };
    if is_other && ask(&[(header::IF_NONE_MATCH, old)]) != *expect {
        fault("If-None-Match with the old tag does not give the new body");
    }
    let known = ask(&[(header::IF_NONE_MATCH, new)]);
    if known.status != 304 || known.tag() != Some(new) || !known.body.is_empty() {
        fault(&format!("If-None-Match with the new tag: {}", known.shown()));
    }
    if expect.header("accept-ranges") != Some("bytes") {
        return;
    }
    let range = (header::RANGE, "bytes=3-12");
    if is_other && ask(&[range.clone(), (header::IF_RANGE, old)]) != *expect {
        fault("If-Range with the old tag does not give the whole new body");
    }
    let part = ask(&[range, (header::IF_RANGE, new)]);
    if part.status != 206 || part.body != expect.body[3..13] {
        fault(&format!("If-Range with the new tag: {}", part.shown()));
    }
}

/// The cases for a kind of file.
pub(crate) fn cases_of(kind: &Kind, service: &Service) -> Vec<Case> {
    let cases = file_cases(&service.app).into_iter();
    if kind.is_of_texts() { cases.map(Case::of_texts).collect() } else { cases.collect() }
}
