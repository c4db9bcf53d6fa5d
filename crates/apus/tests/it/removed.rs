//! Files that are overwritten, cut short or removed under a reader who has the first of a body: it never gets a complete body of something
//! else than what it began with.

use super::{
    files::{ASKED, Files, Kind},
    replaced::cases_of,
    service::{Answer, BLOCK_BYTES, LARGE_BYTES, RUNTIME, Service},
};

/// That of the virtual datasets, which `files.py` writes.
const FILL_VALUE: f32 = 7.0;

/// What happens to a file, and whether a reader may get the rest of the old body.
fn check(test: &str, change: impl Fn(&Files), may_be_completed: bool) {
    let mut faults = Vec::new();
    let mut n_broken = 0;
    for kind in Kind::all() {
        let files = kind.copy(test);
        let service = Service::over(&files.folder);
        for case in cases_of(&kind, &service) {
            let label = format!("{}: {}", kind.name, case.label);
            let before = service.ask(case.ask_for(ASKED));
            // Smaller ones are made whole before the first byte leaves.
            if !before.is_ok() || before.body.len() <= LARGE_BYTES {
                continue;
            }
            let answer = RUNTIME.block_on(async {
                let (mut answer, mut body) = service.begin(case.ask_for(ASKED)).await;
                answer.take_frame(&mut body).await;
                // What is read on the way leaves in blocks of that length; a longer frame is a part of what was made whole before.
                let is_whole = answer.body.len() > 2 * BLOCK_BYTES || answer.body.len() == before.body.len();
                change(&files);
                answer.finish(body).await;
                (answer, is_whole)
            });
            match answer {
                (answer, _) if !answer.is_complete => n_broken += 1,
                (answer, _) if answer != before => {
                    faults.push(format!("{label}: a body of something else: {}", answer.shown()));
                }
                (_, is_whole) if !is_whole && !may_be_completed => {
                    faults.push(format!("{label}: the body was not broken off"));
                }
                _ => {}
            }
            let expect = Service::over(&files.folder).ask(case.ask_for(ASKED));
            check_next(&service.ask(case.ask_for(ASKED)), &expect, &before, &label, &mut faults);
            files.replace(0);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(may_be_completed || n_broken >= 150, "only {n_broken} bodies were broken off");
}

/// The next answer is what a service gives that knows nothing of before.
fn check_next(next: &Answer, expect: &Answer, before: &Answer, label: &str, faults: &mut Vec<String>) {
    if next != expect {
        faults.push(format!("{label}: next {} instead of {}", next.shown(), expect.shown()));
    }
    if next.is_ok() && next.body != before.body && next.tag().is_some() && next.tag() == before.tag() {
        faults.push(format!("{label}: the next answer is another under the same tag"));
    }
}

#[test]
fn a_body_breaks_off_where_its_file_is_overwritten() {
    let change = |files: &Files| {
        let new = files.kind.generation(1);
        files.overwrite(&new, 0..new.len());
    };
    check("overwritten", change, false);
}

#[test]
fn a_body_breaks_off_where_its_file_is_cut_short() {
    check("truncated", Files::truncate, false);
}

#[test]
fn a_body_of_a_removed_file_is_the_old_one_or_breaks_off() {
    check("removed", Files::remove, true);
}

/// What was removed is as if it had never been there, on every address; of a virtual dataset the fill value is left, as in libhdf5.
#[test]
fn a_removed_file_is_gone() {
    let mut faults = Vec::new();
    for kind in Kind::all() {
        let files = kind.copy("gone");
        let service = Service::over(&files.folder);
        let cases = cases_of(&kind, &service);
        let before: Vec<Answer> = cases.iter().map(|case| service.ask(case.ask_for(ASKED))).collect();
        files.remove();
        for (case, before) in cases.iter().zip(&before).filter(|(_, before)| before.is_ok()) {
            let label = format!("{}: {}", kind.name, case.label);
            let after = service.ask(case.ask_for(ASKED));
            if kind.is_direct() {
                let other = ASKED.replace("asked", "never");
                let never = service.ask(case.ask_for(&other));
                if !never.is_renamed(&after, &other, ASKED) || after.status < 400 {
                    faults.push(format!("{label}: {} instead of {}", after.shown(), never.shown()));
                }
            } else {
                let expect = Service::over(&files.folder).ask(case.ask_for(ASKED));
                check_next(&after, &expect, before, &label, &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn of_a_missing_source_the_fill_value_is_left() {
    for name in ["virtual", "virtual_of_virtual", "virtual_over_an_external_link"] {
        let files = Kind::named(name).copy("filled");
        files.remove();
        let service = Service::over(&files.folder);
        let request = axum::http::Request::get(format!("/v1/data/{ASKED}?object=/PartType0/Masses&format=raw"));
        let answer = service.ask(request.body(axum::body::Body::empty()).unwrap());
        assert!(answer.is_ok() && answer.body.len() == 200_000, "{name}: {}", answer.shown());
        assert!(answer.body.chunks(4).all(|value| value == FILL_VALUE.to_le_bytes()), "{name}: {}", answer.shown());
    }
}
