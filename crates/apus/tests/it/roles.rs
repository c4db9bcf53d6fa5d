//! Files that need a role: for whoever has it not, they are not there.

use super::{
    files::{ASKED, Kind},
    replaced::cases_of,
    service::{Service, folder_mount},
};

#[test]
fn without_the_role_a_file_is_as_one_that_is_not_there() {
    let mut faults = Vec::new();
    for kind in Kind::all() {
        let files = kind.copy("roles");
        let mut mount = folder_mount("hidden", &files.folder);
        mount.roles = ["secret".to_owned()].into();
        let service = Service::with(mount, |_| {});
        let (there, nowhere) = (format!("hidden/{ASKED}"), format!("hidden/{}", ASKED.replace("asked", "never")));
        let mut n_seen = 0;
        for case in cases_of(&kind, &service) {
            n_seen += usize::from(service.ask(case.request(&there, Some("insider"))).is_ok());
            for account in [None, Some("stranger")] {
                let found = service.ask(case.request(&there, account));
                let missing = service.ask(case.request(&nowhere, account));
                if found.status < 400 || !missing.is_renamed(&found, &nowhere, &there) {
                    faults.push(format!(
                        "{}: {} by {account:?}: {}, and for none {}",
                        kind.name,
                        case.label,
                        found.shown(),
                        missing.shown()
                    ));
                }
            }
        }
        assert!(n_seen >= 30, "{}: with the role, only {n_seen} cases are answered", kind.name);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
