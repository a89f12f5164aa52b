//! The README and the chapters of the documentation: their code is compiled here, as doctests, and
//! their messages are compared with the real ones by `messages`.
//!
//! Rustdoc shows the chapters in the crate `pidfile`; what they need beside it (clap, axum, tokio) is
//! a dependency of this package alone.

#[cfg(test)]
mod messages;

macro_rules! compiled {
    ($($name:ident: $file:literal,)+) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!($file)]
            mod $name {}
        )+
    };
}

compiled! {
    readme: "../../README.md",
    cluster: "../../pidfile/docs/cluster.md",
    cookbook: "../../pidfile/docs/cookbook.md",
    deploying: "../../pidfile/docs/deploying.md",
    from_python: "../../pidfile/docs/from-python.md",
    limits: "../../pidfile/docs/limits.md",
    neighbours: "../../pidfile/docs/neighbours.md",
    stopping: "../../pidfile/docs/stopping.md",
    troubleshooting: "../../pidfile/docs/troubleshooting.md",
    walkthrough: "../../pidfile/docs/walkthrough.md",
}
