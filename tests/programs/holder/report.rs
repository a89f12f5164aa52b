//! The lines that a test reads.

use pidfile::{Error, PidFile};

/// `held PID PATH`.
pub(crate) fn held(guard: &PidFile) {
    println!("held {} {}", guard.pid(), guard.path().display());
}

/// `refused`, variant, pid, exit code, path and message, with tabs between them.
pub(crate) fn refusal(error: &Error) {
    let variant = format!("{error:?}");
    let variant = variant.split(':').next().unwrap_or_default();
    let pid = error.pid().map(|pid| pid.to_string()).unwrap_or_default();
    let path = error
        .path()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    println!(
        "refused\t{variant}\t{pid}\t{}\t{path}\t{error}",
        error.exit_code()
    );
}

/// `released`, or the refusal.
pub(crate) fn release(result: pidfile::Result<()>) {
    match result {
        Ok(()) => println!("released"),
        Err(error) => refusal(&error),
    }
}
