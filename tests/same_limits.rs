//! The attribute refuses at compile time what `Options` refuses at run time. Both state the limits,
//! so one test builds a program with every value and compares.

use std::collections::BTreeSet;
use std::fmt::Write;

use pidfile::{Error, Options};

use crate::support::{Sandbox, WORKSPACE, cargo, write_crate};

/// What to write in the attribute, and the same for `Options`.
type Case = (String, Options);

/// A call of one setter.
type Setter<'a> = Box<dyn Fn(Options) -> Options + 'a>;

/// Which of the cases the compiler refuses, by their index. `None` if the test cannot build.
fn refused_by_the_attribute(sandbox: &Sandbox, cases: &[Case]) -> Option<BTreeSet<usize>> {
    // One case a line, so that the line of an error says which case it is about.
    let mut source = String::from("#![allow(dead_code)]\n");
    for (index, (arguments, _)) in cases.iter().enumerate() {
        writeln!(
            source,
            "#[pidfile::pidfile({arguments})] fn f{index}() {{}}"
        )
        .unwrap();
    }
    let manifest = format!("[dependencies]\npidfile = {{ path = \"{WORKSPACE}/pidfile\" }}\n");
    let dir = sandbox.path("limits");
    write_crate(&dir, "limits", &manifest, &[("src/lib.rs", &source)]);
    let output = cargo(&dir, &["check", "--quiet", "--message-format=short"])?;
    let messages = String::from_utf8_lossy(&output.stderr);
    let lines = messages.lines().filter_map(|message| {
        let line = message.strip_prefix("src/lib.rs:")?.split(':').next()?;
        message
            .contains(" error")
            .then(|| line.parse::<usize>().ok())?
    });
    // Lines are counted from one, and the first line is not a case.
    let refused: BTreeSet<_> = lines.map(|line| line - 2).collect();
    assert_eq!(output.status.success(), refused.is_empty(), "{messages}");
    Some(refused)
}

fn is_refused_by_options(options: &Options) -> bool {
    matches!(options.acquire(), Err(Error::Config { .. }))
}

/// That both refuse the same cases, and neither all nor none of them.
#[track_caller]
fn assert_same(sandbox: &Sandbox, cases: &[Case]) {
    let Some(refused) = refused_by_the_attribute(sandbox, cases) else {
        return;
    };
    assert!(!refused.is_empty() && refused.len() < cases.len());
    for (index, (arguments, options)) in cases.iter().enumerate() {
        assert_eq!(
            refused.contains(&index),
            is_refused_by_options(options),
            "#[pidfile({arguments})] and {options:?}"
        );
    }
}

#[test]
fn the_attribute_and_options_refuse_the_same_modes() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let case = |mode: u32| {
        let arguments = format!("path = {path:?}, chmod = 0o{mode:o}");
        (arguments, Options::new().path(&path).chmod(mode))
    };
    let beyond = [0o10000, 0o10644, 0o100_644, 1 << 31 | 0o644, u32::MAX];
    let cases: Vec<_> = (0..=0o7777).chain(beyond).map(case).collect();
    assert_same(&sandbox, &cases);
}

#[test]
fn the_attribute_and_options_refuse_the_same_ids() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let ends = [0, i32::MAX.unsigned_abs(), u32::MAX];
    let near = ends
        .iter()
        .flat_map(|end| [end.saturating_sub(1), *end, end.saturating_add(1)]);
    let cases: Vec<_> = near
        .flat_map(|id| {
            let options = Options::new().path(&path);
            [
                (
                    format!("path = {path:?}, uid = {id}"),
                    options.clone().uid(id),
                ),
                (format!("path = {path:?}, gid = {id}"), options.gid(id)),
            ]
        })
        .collect();
    assert_same(&sandbox, &cases);
}

#[test]
fn the_attribute_and_options_refuse_the_same_combinations() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir().to_str().unwrap();
    // Every option once, with a value that is allowed alone.
    let keys: [(String, Setter); 16] = [
        (
            format!("path = \"{dir}/it.pid\""),
            Box::new(|it| it.path(sandbox.pidfile())),
        ),
        ("name = \"it\"".into(), Box::new(|it| it.name("it"))),
        (format!("dir = {dir:?}"), Box::new(|it| it.dir(dir))),
        ("temp_dir".into(), Box::new(|it| it.temp_dir(true))),
        ("dot_pid = false".into(), Box::new(|it| it.dot_pid(false))),
        ("chmod = 0o600".into(), Box::new(|it| it.chmod(0o600))),
        ("uid = 0".into(), Box::new(|it| it.uid(0))),
        ("gid = 0".into(), Box::new(|it| it.gid(0))),
        ("owner = \"root\"".into(), Box::new(|it| it.owner("root"))),
        ("group = \"root\"".into(), Box::new(|it| it.group("root"))),
        ("lock = false".into(), Box::new(|it| it.lock(false))),
        ("refuse_live".into(), Box::new(|it| it.refuse_live(true))),
        (
            "allow_same_process".into(),
            Box::new(|it| it.allow_same_process(true)),
        ),
        ("at_exit = false".into(), Box::new(|it| it.at_exit(false))),
        ("signals = false".into(), Box::new(|it| it.signals(false))),
        (
            "wait = \"1ms\"".into(),
            Box::new(|it| it.wait(std::time::Duration::from_millis(1))),
        ),
    ];
    let mut cases = Vec::new();
    for (index, (first, set_first)) in keys.iter().enumerate() {
        for (second, set_second) in &keys[index + 1..] {
            let options = set_second(set_first(Options::new()));
            cases.push((format!("{first}, {second}"), options));
        }
    }
    assert_same(&sandbox, &cases);
}

#[test]
fn options_refuse_every_text_that_the_attribute_refuses() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir().to_str().unwrap();
    let mut cases = Vec::new();
    for text in [
        "", ".", "..", "/", "a", "a/", "a/b", "a//", "a\0b", "a.pid", "\u{fc}", "~", "~/a",
    ] {
        let options = Options::new();
        let inside = format!("{dir}/{text}");
        cases.extend([
            (format!("path = {text:?}"), options.clone().path(text)),
            (format!("path = {inside:?}"), options.clone().path(&inside)),
            (
                format!("name = {text:?}, dir = {dir:?}, dot_pid = false"),
                options.clone().name(text).dir(dir).dot_pid(false),
            ),
            (
                format!("dir = {text:?}, name = \"it\""),
                options.dir(text).name("it"),
            ),
        ]);
    }
    let Some(refused) = refused_by_the_attribute(&sandbox, &cases) else {
        return;
    };
    assert!(!refused.is_empty());
    for index in refused {
        let (arguments, options) = &cases[index];
        assert!(is_refused_by_options(options), "#[pidfile({arguments})]");
    }
}
