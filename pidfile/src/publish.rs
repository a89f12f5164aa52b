//! Give the draft its name, in place of a stale file if there is one.
//!
//! A reader sees the finished file or none: the record, the mode and the lock
//! are there before the name is. The name is created by a link, or by a rename
//! that does not replace, so it never takes the place of an existing file.

use crate::draft::Draft;
use crate::error::Result;
use crate::open::Found;
use crate::plan::Plan;
use crate::publication::Publication;
use crate::{hidden, nameless};

/// Publishes a draft. A stale file is removed under its lock, which is kept until the new file has
/// the name.
pub(crate) fn publish(draft: Draft, plan: &Plan, mut stale: Option<Found>) -> Result<Publication> {
    match draft {
        Draft::Hidden => hidden::publish(plan, stale),
        Draft::Nameless(draft) => match nameless::publish(draft, plan, &mut stale)? {
            Some(publication) => Ok(publication),
            None => hidden::publish(plan, None),
        },
    }
}
