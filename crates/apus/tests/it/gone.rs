//! Clients that go away: what was theirs is free again.

use std::{
    future::Future,
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use super::{
    files::{ASKED, Kind},
    replaced::cases_of,
    service::{RUNTIME, Service, folder_mount},
};

/// How long anything may take.
const LIMIT: Duration = Duration::from_mins(1);

/// With one permit of each kind, whoever keeps one keeps everybody out.
#[test]
fn a_client_that_is_gone_gives_its_permits_back() {
    for name in ["checked", "strings", "virtual_of_virtual"] {
        let kind = Kind::named(name);
        let files = kind.copy("client_gone");
        let service = Service::with(folder_mount("", &files.folder), |config| {
            config.limits.concurrent_answers = 1;
            config.limits.concurrent_reads = 1;
        });
        for case in cases_of(&kind, &service) {
            let before = service.ask(case.ask_for(ASKED));
            // Gone before there is an answer.
            RUNTIME.block_on(async {
                let mut response = Box::pin(service.respond(case.ask_for(ASKED)));
                let _ = response.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            });
            // Gone after the first of the body.
            RUNTIME.block_on(async {
                let (mut answer, mut body) = service.begin(case.ask_for(ASKED)).await;
                answer.take_frame(&mut body).await;
            });
            let gauges = service.app.work.gauges();
            wait_for(&case.label, || gauges.answers.get() == 0 && gauges.reads.get() == 0);
            let after = service.ask(case.ask_for(ASKED));
            assert_eq!(after, before, "{name}: {}", case.label);
        }
        assert_eq!(service.app.work.gauges().refused.get(), 0);
    }
}

fn wait_for(label: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "{label}: something is still held");
        thread::sleep(Duration::from_millis(1));
    }
}
