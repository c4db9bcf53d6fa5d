//! Asks the reference: runs Python programs with h5py, in the environment that `scripts/python-env` makes.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs a program of this folder with its arguments, in the environment of that name.
pub(crate) fn run(environment: &str, program: &str, args: &[&Path]) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = env::var_os("APUS_PYTHON_ROOT").map_or_else(|| here.join("../../target/python"), PathBuf::from);
    let python = root.join(environment).join("bin/python");
    let output = Command::new(&python)
        .arg(here.join("tests/it").join(program))
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/python-env makes it", python.display()));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program}: {stdout}{stderr}");
}
