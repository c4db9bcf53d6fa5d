//! Faults that there were, each by its name.

use std::{
    fs,
    future::Future,
    task::{Context, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    files::{ASKED, Files, Kind, differing, put},
    service::{Answer, RUNTIME, Service, folder_mount},
};

fn get(service: &Service, uri: &str) -> Answer {
    service.ask(Request::get(uri).body(Body::empty()).unwrap())
}

fn post(service: &Service, uri: &str, body: &Value) -> Answer {
    let request = Request::post(uri).header(header::CONTENT_TYPE, "application/json");
    service.ask(request.body(Body::from(body.to_string())).unwrap())
}

/// `"rows": []` had the strong tag of all rows.
#[test]
fn an_empty_list_of_rows_selects_none_and_has_a_tag_of_its_own() {
    let files = Kind::named("contiguous").copy("empty_rows");
    let service = Service::over(&files.folder);
    let ask = |body: Value| post(&service, &format!("/v1/data/{ASKED}"), &body);
    for format in ["npy", "raw", "json", "csv"] {
        let all = ask(json!({"object": "/PartType0/Masses", "format": format}));
        let none = ask(json!({"object": "/PartType0/Masses", "rows": [], "format": format}));
        let also_none = ask(json!({"object": "/PartType0/Masses", "rows": [[7, 7]], "format": format}));
        assert!(all.is_ok() && none.is_ok(), "{format}: {} {}", all.shown(), none.shown());
        assert_ne!(all.tag(), none.tag(), "{format}");
        assert_eq!(none.body, also_none.body, "{format}");
        assert!(none.body.len() < 200, "{format}: {}", none.shown());
    }
    assert_eq!(ask(json!({"object": "/PartType0/Coordinates", "rows": []})).header("apus-shape"), Some("0,3"));
}

/// The first of a body, then other values in the file, then the rest.
fn broken_off(files: &Files, request: impl Fn() -> Request<Body>) {
    let service = Service::over(&files.folder);
    let whole = service.ask(request());
    assert!(whole.is_ok() && whole.body.len() > 1 << 20, "{}", whole.shown());
    let answer = RUNTIME.block_on(async {
        let (mut answer, mut body) = service.begin(request()).await;
        answer.take_frame(&mut body).await;
        let new = files.kind.generation(1);
        files.overwrite(&new, 0..new.len());
        answer.finish(body).await;
        answer
    });
    assert!(!answer.is_complete, "{}", answer.shown());
}

#[test]
fn slices_of_hdfstream_break_off_where_the_file_is_overwritten() {
    let uri = format!("/hdfstream/msgpack/{ASKED}?object=/PartType0/Coordinates&slice=0:50000,0:3");
    for name in ["contiguous", "checked", "virtual_of_virtual", "external_links"] {
        broken_off(&Kind::named(name).copy("slices"), || Request::get(&uri).body(Body::empty()).unwrap());
    }
}

/// A nested virtual file kept its tag when the innermost part had other values.
#[test]
fn a_virtual_file_over_a_virtual_file_has_the_tag_of_its_innermost_part() {
    let files = Kind::named("virtual_of_virtual").copy("nested");
    let service = Service::over(&files.folder);
    for uri in [
        format!("/v1/data/{ASKED}?object=/PartType0/Masses&rows=0:3&format=json"),
        format!("/v1/select/{ASKED}?fields=gas.masses&limit=3&format=json"),
        format!("/hdfstream/msgpack/{ASKED}?object=/PartType0/Masses&slice=0:3"),
        format!("/hdfstream/msgpack/{ASKED}?object=/PartType0&data_size_limit=1000000"),
    ] {
        files.replace(0);
        let before = get(&service, &uri);
        files.replace(1);
        let after = get(&service, &uri);
        assert!(
            before.is_ok() && after.is_ok() && before.body != after.body,
            "{uri}: {} {}",
            before.shown(),
            after.shown()
        );
        assert_ne!(before.tag(), after.tag(), "{uri}");
    }
}

/// What was remembered of columns outlived a change of the innermost part: `gas=0`, under the same tag.
#[test]
fn statistics_do_not_outlive_a_change_of_the_innermost_part() {
    for name in ["virtual_of_virtual", "virtual_over_an_external_link", "external_links", "chunked"] {
        let files = Kind::named(name).copy("statistics");
        let service = Service::over(&files.folder);
        // Masses are from 1 to 2, and then from 2 to 3.
        let uri = format!("/v1/select/{ASKED}?fields=gas.masses&where=masses%3E1.98e10%20Msun&format=npz");
        let before: Vec<Answer> = (0..2).map(|_| get(&service, &uri)).collect();
        assert_eq!(before[0], before[1], "{name}");
        assert_eq!(before[0].header("apus-rows"), Some("gas=0"), "{name}");
        files.replace(1);
        for _ in 0..2 {
            let after = get(&service, &uri);
            assert_eq!(after.header("apus-rows"), Some("gas=50000"), "{name}: {}", after.shown());
            assert_ne!(after.tag(), before[0].tag(), "{name}");
        }
        files.replace(0);
        assert_eq!(get(&service, &uri).header("apus-rows"), Some("gas=0"), "{name}");
    }
}

/// A chain of links a -> b -> c kept its tag when b was led to another c.
#[test]
fn a_chain_of_links_has_another_tag_when_its_middle_is_led_elsewhere() {
    let files = Kind::named("external_links").copy("redirected");
    put(&files.folder.join("d.hdf5"), &files.kind.generation(1));
    let service = Service::over(&files.folder);
    let elsewhere = fs::read(files.folder.join("b_to_d.hdf5")).unwrap();
    let uris = [
        format!("/v1/data/{ASKED}?object=/PartType0/Masses&rows=0:3&format=json"),
        format!("/v1/select/{ASKED}?fields=gas.masses&limit=3&format=json"),
        format!("/hdfstream/msgpack/{ASKED}?object=/PartType0/Masses&slice=0:3"),
    ];
    let before: Vec<Answer> = uris.iter().map(|uri| get(&service, uri)).collect();
    put(&files.folder.join("b.hdf5"), &elsewhere);
    for (uri, before) in uris.iter().zip(&before) {
        let after = get(&service, uri);
        assert!(
            before.is_ok() && after.is_ok() && before.body != after.body,
            "{uri}: {} {}",
            before.shown(),
            after.shown()
        );
        assert_ne!(before.tag(), after.tag(), "{uri}");
    }
}

/// A client that left while it was asked who it is took the accounts of `apus demo` away, which are in memory: the connection that knew
/// them was closed.
#[test]
fn accounts_in_memory_outlive_clients_that_leave() {
    let files = Kind::named("contiguous").copy("leaving");
    let service = Service::new(
        apus::config::Config::of_mounts(vec![folder_mount("", &files.folder)]),
        RUNTIME.block_on(apus::auth::Authenticator::demo()).unwrap(),
    );
    let request =
        || Request::get("/protected/").header(header::AUTHORIZATION, "Basic ZGVtbzpkZW1v").body(Body::empty()).unwrap();
    assert_eq!(service.ask(request()).status, 200);
    RUNTIME.block_on(async {
        for n_polls in (0..10).cycle().take(300) {
            let mut response = Box::pin(service.respond(request()));
            for _ in 0..n_polls {
                if response.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(response);
            let after = service.answer(request()).await;
            assert_eq!(after.status, 200, "{n_polls} polls: {}", after.shown());
        }
    });
}

/// A file that was written to twice within one tick of the kernel's clock had the same identity before and after: the first values stayed
/// under the tag of the second.
#[test]
fn a_file_that_is_written_to_twice_within_a_tick_has_two_tags() {
    const TICK: Duration = Duration::from_millis(10);
    let files = Kind::named("contiguous").copy("tick");
    let service = Service::over(&files.folder);
    let uri = format!("/v1/data/{ASKED}?object=/PartType0/Masses&rows=0:3&format=json");
    let generations: Vec<Vec<u8>> = (0..2).map(|number| files.kind.generation(number)).collect();
    let part = differing(&generations[0], &generations[1]);
    let mut n_within = 0;
    for _ in 0..200 {
        let start = Instant::now();
        let time = SystemTime::now();
        // The kernel would tell this time of both writes.
        let write = |number: usize| {
            files.overwrite(&generations[number], part.clone());
            fs::File::options().write(true).open(files.innermost()).unwrap().set_modified(time).unwrap();
        };
        write(0);
        let (first, is_within) = thread::scope(|scope| {
            let asked = scope.spawn(|| get(&service, &uri));
            write(1);
            let is_within = start.elapsed() < TICK;
            (asked.join().unwrap(), is_within)
        });
        if !is_within {
            continue;
        }
        n_within += 1;
        let second = get(&service, &uri);
        assert!(first.tag() != second.tag() || first.body == second.body, "{} and {}", first.shown(), second.shown());
    }
    assert!(n_within > 0, "no two writes were within a tick");
}
