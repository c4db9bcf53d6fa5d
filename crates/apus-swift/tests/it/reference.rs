//! The reference programs in Python, and the files that both sides read.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Runs a program of `tests/python` with these arguments and this input; gives what it writes.
pub(crate) fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let python = std::env::var_os("APUS_PYTHON")
        .expect("APUS_PYTHON names the Python with swiftsimio (scripts/python-env makes it, scripts/test sets it)");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(program);
    let mut child = Command::new(python)
        .arg(path)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("APUS_PYTHON runs");
    // The programs read all their input before they write.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} failed: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The repository's own test data, the demo's, and the whole data pack where it lies beside the repository.
pub(crate) fn swift_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = root.join("../shared/data/swift");
    let data = if pack.is_dir() { pack } else { root.join("tests/data") };
    let mut files: Vec<PathBuf> = [data, root.join("demo")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "hdf5"))
        .collect();
    files.sort();
    assert!(files.len() >= 16, "only {} files of test data", files.len());
    files
}

/// Files of kinds that no run at hand wrote, made anew for each run of the tests.
pub(crate) fn made_file(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalogues");
        run("make_catalogues.py", &[folder.to_str().unwrap()], "");
        folder
    });
    folder.join(name)
}
