//! `vectors`: makes the vectors again and prints the report. `vectors corpus DIR`: writes them as seeds for fuzzers.

use std::path::Path;
use std::process::ExitCode;

use conformance::{folder, left_out, report, seeds, topics};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => make(),
        ["corpus", folder] => corpus(Path::new(folder)),
        _ => Err("usage: vectors | vectors corpus DIR".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("vectors: {why}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)] // the report is what it is for
fn make() -> Result<(), Box<dyn std::error::Error>> {
    let checks = topics::all();
    folder::write(&folder::here(), &checks)?;
    print!("{}", report::print(&checks, &left_out::all()));
    Ok(())
}

#[allow(clippy::print_stdout)] // what was done
fn corpus(target: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let written = seeds::write(target, &folder::read(&folder::here())?)?;
    println!("{written} seeds in {}", target.display());
    Ok(())
}
