//! Addresses of no file, and what is told beside every answer.

use std::collections::BTreeSet;

use apus::http::headers;
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    documents::demo,
    files::{ASKED, Kind},
    operations::{DEMO, Operation, file_cases, operations},
    service::{Answer, Service, folder_mount},
};

fn get(service: &Service, uri: &str) -> Answer {
    service.ask(Request::get(uri).body(Body::empty()).unwrap())
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.shown()))
}

#[test]
fn the_root_says_where_everything_is() {
    let service = demo();
    let index = get(&service, "/");
    assert_eq!((index.status, index.header("content-type")), (200, Some("application/json")));
    for (_, address) in
        json_of(&index).as_object().unwrap().iter().filter(|(_, value)| value.as_str().unwrap().starts_with('/'))
    {
        assert_eq!(get(&service, address.as_str().unwrap()).status, 200, "{address}");
    }
    let page =
        service.ask(Request::get("/").header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap());
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = String::from_utf8(page.body).unwrap();
    let links = text.split("=\"./").skip(1).filter_map(|rest| rest.split('"').next());
    let assets: Vec<&str> = links.filter(|link| !link.is_empty()).collect();
    assert!(assets.len() > 2);
    for asset in assets {
        assert_eq!(get(&service, &format!("/{asset}")).status, 200, "{asset}");
    }
}

/// Methods that clients invent were labels of metrics, each a series for ever.
#[test]
fn a_method_that_is_invented_is_no_label() {
    let service = demo();
    for i in 0..20 {
        let request = Request::builder().method(format!("INVENTED{i}").as_str()).uri("/ping").body(Body::empty());
        assert_eq!(service.ask(request.unwrap()).status, 405);
    }
    let text = String::from_utf8(get(&service, "/metrics").body).unwrap();
    assert!(!text.contains("INVENTED"), "{text}");
    assert!(text.contains(r#"apus_http_requests_total{route="/ping",method="other",status="405"} 20"#), "{text}");
}

/// A header that is not exposed is not there for scripts of a web page.
#[test]
fn every_header_is_exposed_to_web_pages() {
    // Those that every browser shows, and those that are for browsers, caches and proxies alone.
    let others = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "cache-control",
        "connection",
        "content-encoding",
        "content-security-policy",
        "content-type",
        "link",
        "location",
        "vary",
        "x-content-type-options",
    ];
    let exposed: BTreeSet<String> = headers::exposed().map(|name| name.to_string()).collect();
    let service = demo();
    let mut found = BTreeSet::new();
    for case in operations(&service.app).iter().flat_map(Operation::cases) {
        for account in [None, Some("demo")] {
            found.extend(service.ask(case.request(DEMO, account)).headers.keys().map(ToString::to_string));
        }
    }
    assert!(found.contains("apus-fields") && found.contains("apus-dtype"), "{found:?}");
    found.retain(|name| !exposed.contains(name) && !others.contains(&name.as_str()));
    assert!(found.is_empty(), "not exposed: {found:?}");
    let answer = get(&service, "/ping");
    let told: BTreeSet<String> =
        answer.header("access-control-expose-headers").unwrap().split(',').map(|name| name.trim().to_owned()).collect();
    assert_eq!(told, exposed);
}

/// Aliases were known to the older API alone.
#[test]
fn an_alias_stands_for_its_file_on_every_protocol() {
    let files = Kind::named("contiguous").copy("aliases");
    let service = Service::with(folder_mount("", &files.folder), |config| {
        config.aliases.insert("alias.hdf5".to_owned(), ASKED.to_owned());
        config.aliases.insert("folder".to_owned(), String::new());
        config.aliases.insert(ASKED.to_owned(), "never.hdf5".to_owned());
    });
    let mut n_compared = 0;
    for case in file_cases(&service.app) {
        let (by_name, by_alias) = (service.ask(case.ask_for(ASKED)), service.ask(case.ask_for("alias.hdf5")));
        // A tag is of the request as well, in which the older API has the name.
        let is_same = by_name.is_renamed(&by_alias, "asked.hdf5", "alias.hdf5") || by_name.body == by_alias.body;
        assert!(
            is_same || case.operation.template.starts_with("/swiftdata"),
            "{}: {} and {}",
            case.label,
            by_name.shown(),
            by_alias.shown()
        );
        assert_eq!(by_name.status, by_alias.status, "{}", case.label);
        n_compared += usize::from(by_name.is_ok());
    }
    assert!(n_compared > 30, "{n_compared}");
    // What is below an alias of a folder; and what is really there goes before an alias.
    assert_eq!(get(&service, &format!("/v1/info/folder/{ASKED}")).status, 200);
    assert_eq!(json_of(&get(&service, "/v1/list/folder"))["entries"], json_of(&get(&service, "/v1/list/"))["entries"]);
}

/// An alias of a file that the caller may not see is as one that there is not.
#[test]
fn an_alias_tells_nothing_of_what_is_hidden() {
    let files = Kind::named("contiguous").copy("hidden alias");
    let mut mount = folder_mount("hidden", &files.folder);
    mount.roles = ["secret".to_owned()].into();
    let service = Service::with(mount, |config| {
        config.aliases.insert("newest".to_owned(), format!("hidden/{ASKED}"));
    });
    let (alias, nowhere) = (get(&service, "/v1/info/newest"), get(&service, "/v1/info/nothin"));
    assert!(alias.status == 404 && nowhere.is_renamed(&alias, "nothin", "newest"), "{}", alias.shown());
}

/// Files `snap_0000.hdf5` ... in folders, copies of one that h5py has written, and others.
fn folder_of_many(test: &str) -> Service {
    let files = Kind::named("contiguous").copy(test);
    let bytes = files.kind.generation(0);
    std::fs::remove_file(files.innermost()).unwrap();
    for folder in ["", "a", "a/b"] {
        let folder = files.folder.join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for i in 0..10 {
            super::files::put(&folder.join(format!("snap_{i:04}.hdf5")), &bytes);
        }
        super::files::put(&folder.join("notes.txt"), b"notes");
    }
    Service::over(&files.folder)
}

fn names(answer: &Answer) -> Vec<String> {
    let entries = json_of(answer)["entries"].clone();
    entries.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_listing_comes_in_parts() {
    let service = folder_of_many("parts");
    for query in ["", "pattern=snap*", "recursive=true", "recursive&pattern=*[0-4].hdf5"] {
        let whole = get(&service, &format!("/v1/list/?{query}"));
        assert!(json_of(&whole).get("next").is_none());
        let mut parts = Vec::new();
        let mut after = String::new();
        loop {
            let part = get(&service, &format!("/v1/list/?{query}&limit=3{after}").replace("?&", "?"));
            let (part_names, next) = (names(&part), json_of(&part)["next"].clone());
            assert!(part_names.len() <= 3 && !part_names.is_empty(), "{}", part.shown());
            parts.extend(part_names);
            let Some(next) = next.as_str() else { break };
            assert_eq!(next, parts.last().unwrap());
            after = format!("&after={next}");
        }
        assert_eq!(parts, names(&whole), "{query}");
        assert!(parts.len() > 3);
    }
    assert_eq!(
        names(&get(&service, "/v1/list/?recursive=true&pattern=*_0003.hdf5")),
        ["a/b/snap_0003.hdf5", "a/snap_0003.hdf5", "snap_0003.hdf5"]
    );
    assert_eq!(names(&get(&service, "/v1/list/a?pattern=[!s]*")), ["b", "notes.txt"]);
    for (query, word) in [
        ("limit=0", "from 1"),
        ("limit=x", "from 1"),
        ("pattern=[", "not closed"),
        ("recursive=maybe", "true, false"),
        ("patern=*", "did you mean"),
    ] {
        let refused = get(&service, &format!("/v1/list/?{query}"));
        assert!(refused.status == 400 && refused.shown().contains(word), "{query}: {}", refused.shown());
    }
}

#[test]
fn a_listing_tells_what_files_are() {
    let service = demo();
    let entries = json_of(&get(&service, "/v1/list/?describe=true"))["entries"].clone();
    let info = |name: &str| json_of(&get(&service, &format!("/v1/info/{name}")));
    for entry in entries.as_array().unwrap() {
        let info = info(entry["name"].as_str().unwrap());
        let description = &entry["description"];
        assert_eq!(description["kind"], info["kind"]);
        for key in ["redshift", "scale_factor", "box_size"] {
            assert_eq!(description[key], info["header"][key], "{key}");
        }
        assert_eq!(description["length_unit"], info["units"]["names"]["length"]);
    }
    assert_eq!(entries[0]["description"]["n_particles"], json!({"dark_matter": 216_000, "gas": 216_000}));
    let described = json_of(&get(&folder_of_many("described"), "/v1/list/a?describe&pattern=n*"));
    assert_eq!(described["entries"][0]["description"], json!({"kind": "not_hdf5"}));
}

/// A folder of 50,000 files took 4 MB.
#[test]
fn listings_are_compressed() {
    let service = folder_of_many("compressed");
    let request = || Request::get("/v1/list/?recursive=true").header(header::ACCEPT_ENCODING, "gzip");
    let compressed = service.ask(request().body(Body::empty()).unwrap());
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let plain = get(&service, "/v1/list/?recursive=true");
    assert_eq!(plain.header("content-encoding"), None);
    assert!(compressed.body.starts_with(&[0x1f, 0x8b]) && 3 * compressed.body.len() < plain.body.len());
}

/// A unit that fitted no field was ignored.
#[test]
fn what_a_selection_has_no_use_for_is_refused() {
    let service = demo();
    for (query, status, words) in [
        ("fields=gas.masses&unit=kpc", 400, &["\"kpc\"", "dimension length", "gas.masses is in"][..]),
        ("fields=gas.particle_ids&unit=K", 400, &["gas.particle_ids is a pure number"]),
        ("fields=gas.coordinates&unit=kpc,Mpc", 400, &["\"Mpc\"", "wanted in kpc already"]),
        ("fields=gas", 404, &["gas.coordinates", "gas.*", "not a field"]),
        ("fields=PartType0", 404, &["gas.coordinates", "gas.*"]),
        ("fields=gas.masses&sphere=1,2,3,1500kpc", 400, &["1500kpc", "a space and a unit"]),
        ("fields=gas.masses&sphere=1,2,3,4+K", 400, &["temperature"]),
    ] {
        let refused = get(&service, &format!("/v1/select/{DEMO}?{query}"));
        let detail = json_of(&refused)["detail"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, status, "{query}: {detail}");
        for word in words {
            assert!(detail.contains(word), "{query}: {detail}");
        }
    }
}

/// A sphere took numbers only, where an aperture took lengths.
#[test]
fn regions_are_of_lengths_with_units() {
    let service = demo();
    let rows = |region: &str| {
        let answer = get(&service, &format!("/v1/select/{DEMO}?fields=gas.particle_ids&format=json&{region}"));
        assert!(answer.is_ok(), "{region}: {}", answer.shown());
        json_of(&answer)["gas.particle_ids"].clone()
    };
    let expected = rows("sphere=22.1,25.5,27.4,2");
    assert!(expected.as_array().unwrap().len() > 100);
    assert_eq!(rows("sphere=22.1+Mpc,25500+kpc,27.4,2000+kpc+comoving"), expected);
    assert_eq!(rows("sphere=22.1+Mpc,25.5+Mpc,27.4+Mpc,2000&region_unit=kpc"), expected);
    assert_eq!(rows("box=1+Mpc,2000+kpc,,,0,5"), rows("box=1,2,,,0,5"));
}
