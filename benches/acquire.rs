//! Acquire and release beside the raw calls, and with many files held.
//!
//! ```text
//! cargo bench -p pidfile-benches
//! ```
//!
//! This compares a change with the state before it. To compare the crate with
//! others use the script `run`, which measures them in turns: criterion
//! measures one after the other, and the machine may change in between.

use std::path::Path;

use criterion::{BenchmarkId, Criterion};
use pidfile_benches::{acquire_and_release, careful_calls, hold, raw_calls};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    on_tmpfs_and_disk(&mut criterion);
    with_others_held(&mut criterion);
    criterion.final_summary();
}

fn on_tmpfs_and_disk(criterion: &mut Criterion) {
    for (kind, base) in [("tmpfs", "/dev/shm"), ("disk", "/var/tmp")] {
        let Ok(dir) = tempfile::tempdir_in(Path::new(base)) else {
            println!("{kind}: skipped, because {base} cannot be used");
            continue;
        };
        let path = dir.path().join("it.pid");
        let mut group = criterion.benchmark_group(format!("acquire and release on {kind}"));
        group.bench_function("raw calls", |bencher| {
            bencher.iter(|| raw_calls(dir.path(), &path).expect("a free name"));
        });
        group.bench_function("careful calls", |bencher| {
            bencher.iter(|| careful_calls(dir.path(), "it.pid").expect("a free name"));
        });
        group.bench_function("pidfile", |bencher| {
            bencher.iter(|| acquire_and_release(&path).expect("a free name"));
        });
    }
}

fn with_others_held(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("acquire and release with others held");
    for count in [1, 100, 1_000, 5_000] {
        let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
            println!("with {count} held: skipped, because there is no /dev/shm");
            return;
        };
        let held = match hold(dir.path(), count) {
            Ok(held) => held,
            Err(error) => {
                println!("with {count} held: skipped: {error:#}");
                continue;
            }
        };
        let path = dir.path().join("it.pid");
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| acquire_and_release(&path).expect("a free name"));
        });
        drop(held);
    }
}
