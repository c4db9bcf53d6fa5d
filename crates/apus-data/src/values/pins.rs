//! The files that one request has met, and which bytes they were then.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use apus_h5::{File, Resolver};
use serde::Serialize;

use crate::{
    Error, Result,
    catalog::{FileLink, Known, Led, OpenBytes, OpenFile, Site, Target},
    store::Identity,
};

/// The files that were asked for by path, and every link that was followed from them: what an answer rests on.
///
/// A link is followed once: whoever follows it again is led to the same bytes, or gets an error.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<PinnedState>);

#[derive(Debug, Default)]
struct PinnedState {
    /// The files that were asked for by path, in the order of asking.
    roots: Vec<OpenBytes>,
    /// All files that were met, by their names.
    met: HashMap<String, Met>,
    /// Where links led to.
    links: BTreeMap<FileLink, Led>,
    /// What is being noted, innermost last: see [`Pins::known`].
    notes: Vec<Notes>,
    /// Whether a tag was made of all this: nothing may join it any more.
    is_sealed: bool,
}

/// A file that was met: from where its links are followed, and which bytes it had.
#[derive(Debug)]
struct Met {
    site: Arc<Site>,
    identity: Identity,
}

/// Links in the order in which they were followed, each once.
#[derive(Debug, Default)]
struct Notes {
    seen: BTreeSet<FileLink>,
    followed: Vec<(FileLink, Led)>,
}

/// All that a tag says of files.
#[derive(Serialize)]
pub(super) struct Identities {
    roots: Vec<Target>,
    links: BTreeMap<FileLink, Led>,
}

/// Follows the links of one request's files.
struct PinResolver(Arc<Pins>);

const UNKNOWN: &str = "the file that names it was not met by this request";

impl Pins {
    /// A handle on the file of a path, whose links are followed here.
    pub(super) fn add_root(self: &Arc<Self>, file: &OpenFile) -> File {
        self.add_bytes(&file.bytes);
        self.handle(file)
    }

    /// Takes the bytes of a path, of whatever kind.
    pub(super) fn add_bytes(&self, bytes: &OpenBytes) {
        let mut state = self.state();
        if !state.roots.iter().any(|root| root.path == bytes.path && root.identity == bytes.identity) {
            state.roots.push(bytes.clone());
        }
    }

    /// Makes something, and tells with it which links were followed for it.
    pub(super) fn known<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<Known<T>> {
        self.state().notes.push(Notes::default());
        let made = make();
        let mut state = self.state();
        let Notes { followed, .. } = state.notes.pop().unwrap_or_default();
        if let Some(outer) = state.notes.last_mut() {
            followed.iter().for_each(|(link, led)| outer.add(link, led));
        }
        Ok(Known { value: made?, followed })
    }

    /// Whether what was made before still holds. If so, this request rests on the same links.
    pub(super) fn holds<T>(self: &Arc<Self>, known: &Known<T>) -> bool {
        known.followed.iter().all(|(link, led)| {
            let now = self.follow(link);
            // What that file names in turn is followed from its own place.
            let is_met = now.as_ref().map_or(true, |target| target.as_ref().is_none_or(|t| self.open(link, t).is_ok()));
            now == *led && is_met
        })
    }

    /// What a tag says of all files so far; none may join after that.
    pub(super) fn seal(&self) -> Identities {
        let mut state = self.state();
        state.is_sealed = true;
        let root = |root: &OpenBytes| Target { path: root.path.clone(), identity: root.identity };
        Identities { roots: state.roots.iter().map(root).collect(), links: state.links.clone() }
    }

    /// Which bytes the file of that name had that was met; `None` for one that was not.
    pub(super) fn identity_of(&self, name: &str) -> Option<Identity> {
        self.state().met.get(name).map(|met| met.identity)
    }

    /// Fails where a file is not what it was when this request met it.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let state = self.state();
        state.roots.iter().try_for_each(OpenBytes::check_unchanged)?;
        let changed = state
            .links
            .iter()
            .find(|(link, led)| state.met.get(&link.from).is_none_or(|met| met.site.find(&link.to) != **led));
        match changed {
            None => Ok(()),
            Some((link, _)) => Err(Error::changed(format!(
                "{}: the file {:?} that it draws on was changed while it was read; ask again",
                link.from, link.to
            ))),
        }
    }

    fn handle(self: &Arc<Self>, file: &OpenFile) -> File {
        let met = || Met { site: Arc::clone(&file.site), identity: file.bytes.identity };
        self.state().met.entry(file.h5.name().to_owned()).or_insert_with(met);
        file.h5.with_resolver(Arc::new(PinResolver(Arc::clone(self))))
    }

    /// Where a link leads, for this request.
    fn follow(&self, link: &FileLink) -> Led {
        let mut state = self.state();
        let led = match state.links.get(link) {
            Some(led) => led.clone(),
            None if state.is_sealed => return Err("it was not met when the answer was planned".to_owned()),
            None => {
                let led = state.met.get(&link.from).ok_or(UNKNOWN)?.site.find(&link.to);
                state.links.insert(link.clone(), led.clone());
                led
            }
        };
        if let Some(notes) = state.notes.last_mut() {
            notes.add(link, &led);
        }
        led
    }

    fn open(self: &Arc<Self>, link: &FileLink, target: &Target) -> Result<File, String> {
        let site = self.state().met.get(&link.from).map(|met| Arc::clone(&met.site)).ok_or(UNKNOWN)?;
        let file = site.open(target).map_err(|error| match error {
            Error::Internal(_) => "it cannot be opened".to_owned(),
            error => error.to_string(),
        })?;
        Ok(self.handle(&file))
    }

    fn state(&self) -> MutexGuard<'_, PinnedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    fn add(&mut self, link: &FileLink, led: &Led) {
        if self.seen.insert(link.clone()) {
            self.followed.push((link.clone(), led.clone()));
        }
    }
}

impl Resolver for PinResolver {
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String> {
        let link = FileLink { from: from.name().to_owned(), to: target.to_owned() };
        match self.0.follow(&link)? {
            Some(found) => self.0.open(&link, &found).map(Some),
            None => Ok(None),
        }
    }
}
