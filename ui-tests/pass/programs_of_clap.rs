//! A program with `clap`, whose arguments say where the pidfile goes, and with `miette`.

use std::path::{Path, PathBuf};

use clap::Parser;
use pidfile::pidfile;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "clap.pid")]
    pidfile: PathBuf,
}

#[pidfile(path = &arguments.pidfile, held = guard)]
fn serve(arguments: &Arguments) -> Result<(), pidfile::Error> {
    assert!(arguments.pidfile.exists());
    assert!(guard.path().ends_with(&arguments.pidfile));
    Ok(())
}

#[pidfile(path = Arguments::parse_from(["program", "--pidfile", "parsed.pid"]).pidfile, on_error = |error| {
    Err(miette::miette!("{error}"))
})]
fn report() -> miette::Result<()> {
    assert!(Path::new("parsed.pid").exists());
    Ok(())
}

#[pidfile("eyre.pid")]
fn report_of_eyre() -> color_eyre::Result<u8> {
    Ok(1)
}

fn main() -> Result<(), pidfile::Error> {
    serve(&Arguments::parse_from(["program"]))?;
    report().unwrap();
    let _parsed = pidfile::PidFile::acquire("parsed.pid")?;
    assert!(report().unwrap_err().to_string().contains("parsed.pid"));
    assert_eq!(report_of_eyre().unwrap(), 1);
    let _eyre = pidfile::PidFile::acquire("eyre.pid")?;
    let refused = report_of_eyre().unwrap_err();
    assert!(
        refused
            .downcast_ref::<pidfile::Error>()
            .unwrap()
            .is_running()
    );
    Ok(())
}
