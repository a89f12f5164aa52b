//! How an acquire in another process was refused.

use std::fmt::Display;
use std::path::PathBuf;

/// A refusal as the program reported it. Each expectation gives it back, so that they can be
/// chained.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) variant: String,
    pub(crate) pid: Option<u32>,
    pub(crate) exit_code: u8,
    pub(crate) path: PathBuf,
    pub(crate) message: String,
}

impl Refusal {
    /// That it is this variant of `Error`, with this exit code.
    #[track_caller]
    pub(crate) fn expect(self, variant: &str, exit_code: u8) -> Refusal {
        assert_eq!(
            (self.variant.as_str(), self.exit_code),
            (variant, exit_code),
            "{self:?}"
        );
        self
    }

    /// That it is one of these variants, where the difference does not matter.
    #[track_caller]
    pub(crate) fn expect_one_of(self, variants: &[&str]) -> Refusal {
        assert!(variants.contains(&self.variant.as_str()), "{self:?}");
        self
    }

    /// That it names this process, or none.
    #[track_caller]
    pub(crate) fn expect_pid(self, pid: impl Into<Option<u32>>) -> Refusal {
        assert_eq!(self.pid, pid.into(), "{self:?}");
        self
    }

    /// That the message contains this text.
    #[track_caller]
    pub(crate) fn expect_message(self, text: impl Display) -> Refusal {
        assert!(self.message.contains(&format!("{text}")), "{self:?}");
        self
    }
}
