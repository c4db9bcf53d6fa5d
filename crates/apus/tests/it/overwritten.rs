//! A file that is written to all the time while it is read: every complete body is of one state that the file was in.
//!
//! A writer puts one generation of values over the other, piece by piece, and round again. After each piece the file is in a state of its
//! own; a service that sees nothing else tells beforehand what each state answers. Whatever else comes must be an error, or break off.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    files::{ASKED, Files, Kind, differing, put},
    operations::Case,
    replaced::cases_of,
    service::{Answer, Service},
};

const N_GENERATIONS: usize = 3;
const N_PIECES: usize = 3;
/// So many rounds at least, and then until there were so many complete bodies; but not for ever.
const N_ROUNDS: usize = 3;
const N_COMPLETE: usize = 20;
const MAX_ROUNDS: usize = 40;
/// Between two pieces: longer than a kernel's tick, so that each has a time of its own.
const PAUSE: Duration = Duration::from_millis(25);

/// Writes the pieces of the generations, each over the one before.
struct Writer {
    generations: Vec<Vec<u8>>,
    pieces: Vec<Range<usize>>,
}

impl Writer {
    fn new(kind: &Kind) -> Self {
        let generations: Vec<Vec<u8>> = (0..N_GENERATIONS).map(|number| kind.generation(number)).collect();
        let others = generations[1..].iter().map(|other| differing(&generations[0], other));
        let all = others.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap();
        let n_bytes = all.len().div_ceil(N_PIECES);
        let pieces =
            (0..N_PIECES).map(|n| all.start + n * n_bytes..(all.start + (n + 1) * n_bytes).min(all.end)).collect();
        Self { generations, pieces }
    }

    /// What is written in one round: of which generation, which piece.
    fn steps(&self) -> impl Iterator<Item = (usize, &Range<usize>)> {
        (1..=N_GENERATIONS).flat_map(|n| self.pieces.iter().map(move |piece| (n % N_GENERATIONS, piece)))
    }

    /// Every state of the file.
    fn states(&self) -> Vec<Vec<u8>> {
        let mut state = self.generations[0].clone();
        let states = self.steps().map(|(generation, piece)| {
            state[piece.clone()].copy_from_slice(&self.generations[generation][piece.clone()]);
            state.clone()
        });
        states.collect()
    }

    fn write_round(&self, files: &Files) {
        for (generation, piece) in self.steps() {
            let next = Instant::now() + PAUSE;
            files.overwrite(&self.generations[generation], piece.clone());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

fn hash(answer: &Answer) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.body.hash(&mut hasher);
    hasher.finish()
}

/// The cases whose answers depend on values, with all complete bodies that they may have.
fn expectations(files: &Files, writer: &Writer, cases: Vec<Case>) -> Vec<(Case, HashSet<u64>)> {
    let mut expected: Vec<(Case, HashSet<u64>)> = cases.into_iter().map(|case| (case, HashSet::new())).collect();
    let states = writer.states();
    for state in &states {
        put(&files.innermost(), state);
        let service = Service::over(&files.folder);
        for (case, bodies) in &mut expected {
            let answer = service.ask(case.ask_for(ASKED));
            if answer.is_ok() {
                bodies.insert(hash(&answer));
            }
        }
    }
    // One that tells the time of the last write has more bodies than are known.
    put(&files.innermost(), &states[states.len() - 1]);
    let service = Service::over(&files.folder);
    expected.retain(|(case, bodies)| bodies.len() > 1 && bodies.contains(&hash(&service.ask(case.ask_for(ASKED)))));
    expected
}

fn check(kind: &Kind) {
    let files = kind.copy("race");
    let writer = Writer::new(kind);
    let cases = cases_of(kind, &Service::over(&files.folder));
    let expected = expectations(&files, &writer, cases);
    assert!(expected.len() >= 30, "{}: only {} cases depend on values", kind.name, expected.len());
    if kind.is_of_texts() {
        for address in ["/v1/data", "/hdfstream/msgpack", "/swiftdata/unmasked_dataset", "/swiftdata/masked_dataset"] {
            let asks =
                |case: &Case| case.operation.template.starts_with(address) && format!("{case:?}").contains("Labels");
            assert!(expected.iter().any(|(case, _)| asks(case)), "{address} gives no texts");
        }
    }
    files.replace(0);
    let service = Service::over(&files.folder);
    let (is_over, n_complete) = (AtomicBool::new(false), AtomicUsize::new(0));
    let read = |first: usize| {
        let mut faults = Vec::new();
        for (case, bodies) in expected.iter().cycle().skip(first) {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let answer = service.ask(case.ask_for(ASKED));
            // An error, or a body that breaks off, is what else may come.
            if answer.is_ok() {
                n_complete.fetch_add(1, Ordering::Relaxed);
                if !bodies.contains(&hash(&answer)) {
                    faults.push(format!("{}: {}: a mixture: {}", kind.name, case.label, answer.shown()));
                }
            }
        }
        faults
    };
    let faults: Vec<String> = thread::scope(|scope| {
        let n_cases = expected.len();
        let firsts = [0, n_cases / 3, 2 * n_cases / 3];
        let readers = firsts.map(|first| {
            scope.spawn({
                let read = &read;
                move || read(first)
            })
        });
        for round in 0..MAX_ROUNDS {
            if round < N_ROUNDS || n_complete.load(Ordering::Relaxed) < N_COMPLETE {
                writer.write_round(&files);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_complete.into_inner() > 0, "{}: no body was complete", kind.name);
}

#[test]
fn every_complete_body_is_of_one_state() {
    Kind::all().iter().filter(|kind| !kind.is_of_texts()).for_each(check);
}

/// They are held in memory whole, on every protocol, and left as complete bodies of a mixture.
#[test]
fn values_of_variable_length_are_never_mixed() {
    check(&Kind::named("strings"));
}
