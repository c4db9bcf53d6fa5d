//! Answers over the limits: refused, in the protocol's form.

use super::{
    files::{ASKED, Kind},
    replaced::cases_of,
    service::{Answer, Service, folder_mount},
};

#[test]
fn values_over_the_limits_are_refused_on_every_address_that_gives_some() {
    let mut faults = Vec::new();
    for kind in Kind::all() {
        let files = kind.copy("limits");
        let free = Service::over(&files.folder);
        let tight = Service::with(folder_mount("", &files.folder), |config| {
            config.limits.answer_bytes = 16;
            config.limits.held_bytes = 16;
            config.limits.pictures_bytes = 16;
        });
        let cases = cases_of(&kind, &free);
        let ask =
            |service: &Service| -> Vec<Answer> { cases.iter().map(|case| service.ask(case.ask_for(ASKED))).collect() };
        let (before, tight_before) = (ask(&free), ask(&tight));
        files.replace(1);
        let (after, tight_after) = (ask(&free), ask(&tight));
        let mut n_refused = 0;
        for (index, case) in cases.iter().enumerate() {
            let label = format!("{}: {}", kind.name, case.label);
            if !before[index].is_ok() || before[index].body == after[index].body {
                continue;
            }
            let (answer, other) = (&tight_before[index], &tight_after[index]);
            match answer.status {
                413 => {
                    n_refused += 1;
                    let missing = tight.ask(case.ask_for("never.hdf5"));
                    if answer.header("content-type") != missing.header("content-type") {
                        faults.push(format!("{label}: {} is not in the form of {}", answer.shown(), missing.shown()));
                    }
                    if !case.operation.statuses.contains(&413) {
                        faults.push(format!("{label}: 413 is not documented"));
                    }
                }
                // Without values, or the bytes of a file as they are.
                200 if answer.body == other.body || answer.body == kind.generation(0) => {}
                _ if tells_of_the_file_alone(answer, other) => {}
                _ => faults.push(format!("{label}: {} and then {}", answer.shown(), other.shown())),
            }
        }
        assert!(n_refused >= 30, "{}: only {n_refused} cases are refused", kind.name);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether two short texts differ in what is told of every file: when it was written.
fn tells_of_the_file_alone(a: &Answer, b: &Answer) -> bool {
    let n_differing = a.body.iter().zip(&b.body).filter(|(a, b)| a != b).count();
    a.body.len() == b.body.len() && n_differing <= 10
}
