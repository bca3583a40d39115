//! `vectors`: makes the vectors again and prints the report.

use std::process::ExitCode;

use conformance::{folder, left_out, report, topics};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("vectors: {why}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)] // the report is what it is for
fn run() -> Result<(), Box<dyn std::error::Error>> {
    let checks = topics::all();
    folder::write(&folder::here(), &checks)?;
    print!("{}", report::print(&checks, &left_out::all()));
    Ok(())
}
