//! Runs the scripts beside this folder, which write files with h5py.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs `tests/SCRIPT DIRECTORY ARGUMENTS...` with the interpreter that has h5py, and gives the directory, which is new.
pub(crate) fn run(script: &str, arguments: &[&str]) -> PathBuf {
    let python = env::var_os("APUS_PYTHON")
        .expect("APUS_PYTHON is not set: run scripts/test, which makes the Python environment");
    let name = [&[script.trim_end_matches(".py")], arguments].concat().join("-");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let output = Command::new(&python)
        .arg(&script)
        .arg(&directory)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", Path::new(&python).display()));
    assert!(output.status.success(), "{}:\n{}", script.display(), String::from_utf8_lossy(&output.stderr));
    directory
}
