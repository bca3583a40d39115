//! Generates `crates/proto/src/gen` from `proto/`, without `protoc`. The result is checked in, so that whoever builds
//! the project needs no generator; `--check` says whether it is what the sources give.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use protox::Compiler;

/// What to do with what was generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Replace what is checked in.
    Write,
    /// Compare with what is checked in, and fail where it differs.
    Check,
}

type Files = BTreeMap<String, Vec<u8>>;

/// Generates and writes or compares.
pub(crate) fn run(mode: Mode) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent directory")?;
    let target = root.join("crates/proto/src/gen");
    let fresh = generate(&root.join("proto"), &scratch(root)?)?;
    match mode {
        Mode::Write => write(&target, &fresh),
        Mode::Check => compare(&target, &fresh),
    }
}

/// An empty directory of our own below the target directory.
fn scratch(root: &Path) -> Result<PathBuf, String> {
    let directory = root.join("target").join(format!("xtask-proto-{}", std::process::id()));
    fs::create_dir_all(&directory).map_err(|e| format!("cannot make {}: {e}", directory.display()))?;
    Ok(directory)
}

fn generate(sources: &Path, scratch: &Path) -> Result<Files, String> {
    let mut names = Vec::new();
    find(sources, sources, &mut names)?;
    names.sort();

    let mut compiler = Compiler::new([sources]).map_err(|e| format!("{}: {e}", sources.display()))?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&names).map_err(|e| format!("cannot compile the .proto files: {e}"))?;
    tonic_prost_build::configure()
        .build_transport(false)
        .btree_map(".")
        .out_dir(scratch)
        .compile_fds(compiler.file_descriptor_set())
        .map_err(|e| format!("cannot generate code: {e}"))?;

    let mut files = Files::new();
    for name in list(scratch)? {
        files.insert(name.clone(), read(&scratch.join(&name))?);
    }
    fs::remove_dir_all(scratch).map_err(|e| format!("cannot remove {}: {e}", scratch.display()))?;

    // For reflection: what travels is named, its comments are not.
    compiler.include_source_info(false);
    files.insert("descriptors.bin".to_owned(), compiler.file_descriptor_set().encode_to_vec());
    Ok(files)
}

/// The `.proto` files below `directory`, as `sources` sees them.
fn find(sources: &Path, directory: &Path, names: &mut Vec<PathBuf>) -> Result<(), String> {
    for name in list(directory)? {
        let path = directory.join(&name);
        if path.is_dir() {
            find(sources, &path, names)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            let name = path.strip_prefix(sources).map_err(|e| format!("{}: {e}", path.display()))?;
            names.push(name.to_owned());
        }
    }
    Ok(())
}

fn write(target: &Path, fresh: &Files) -> Result<(), String> {
    fs::create_dir_all(target).map_err(|e| format!("cannot make {}: {e}", target.display()))?;
    for name in list(target)?.into_iter().filter(|name| !fresh.contains_key(name)) {
        let path = target.join(name);
        fs::remove_file(&path).map_err(|e| format!("cannot remove {}: {e}", path.display()))?;
    }
    for (name, bytes) in fresh {
        let path = target.join(name);
        fs::write(&path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    println!("{}: {} files", target.display(), fresh.len());
    Ok(())
}

fn compare(target: &Path, fresh: &Files) -> Result<(), String> {
    let mut wrong = Vec::new();
    for name in list(target)? {
        if !fresh.contains_key(&name) {
            wrong.push(format!("{name} is no longer generated"));
        }
    }
    for (name, bytes) in fresh {
        let path = target.join(name);
        if !path.exists() || read(&path)? != *bytes {
            wrong.push(format!("{name} is not what proto/ gives"));
        }
    }
    if wrong.is_empty() {
        println!("{}: up to date", target.display());
        return Ok(());
    }
    Err(format!("generated code is stale; run `cargo run -p xtask -- proto`\n  {}", wrong.join("\n  ")))
}

/// The names in a directory, in order.
fn list(directory: &Path) -> Result<Vec<String>, String> {
    let complain = |e: std::io::Error| format!("cannot list {}: {e}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(complain)? {
        names.push(entry.map_err(complain)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}
