//! Publish a file that has no name yet.

use std::ffi::CStr;
use std::fs::File;

use nix::errno::Errno;

use crate::action::Action;
use crate::descriptor::Numbers;
use crate::draft::{Draft, Finished};
use crate::error::Result;
use crate::open::Found;
use crate::plan::Plan;
use crate::publication::{Publication, make_way};
use crate::target::Target;

/// Links a finished file to its name. `None` if a nameless file cannot be given a name here; by
/// then the stale file has been removed.
pub(crate) fn publish(
    draft: Finished,
    plan: &Plan,
    stale: &mut Option<Found>,
) -> Result<Option<Publication>> {
    let target = &plan.target;
    let publishing = plan.arm(
        Numbers::of(&target.dir, &draft.file, draft.id),
        &target.name,
    )?;
    match make_way(target, stale.as_ref()) {
        Ok(true) => {}
        Ok(false) => return Ok(Some(Publication::Taken(Draft::Nameless(draft)))),
        Err(errno) => {
            let refusal = target.cannot(Action::Replace, errno);
            return Ok(Some(Publication::Refused(refusal, stale.take())));
        }
    }
    Ok(match link(target, &draft.file, &target.name) {
        Ok(()) => Some(Publication::Published(draft.published(publishing))),
        // A call may succeed and yet report a failure, if a server's reply is lost.
        Err(_) if target.is_named(&target.name, draft.id) => {
            Some(Publication::Published(draft.published(publishing)))
        }
        Err(Errno::EEXIST) => Some(Publication::Taken(Draft::Nameless(draft))),
        // A file with a hidden name may be possible, and if it is not, its error is reported.
        Err(_) => None,
    })
}

#[cfg(target_os = "linux")]
pub(crate) fn link(target: &Target, file: &File, name: &CStr) -> nix::Result<()> {
    use std::os::fd::AsRawFd;

    use nix::fcntl::{AT_FDCWD, AtFlags};
    use nix::unistd::linkat;

    use crate::sys;

    // Every process may do this since Linux 6.10. On older kernels it fails with ENOENT unless the
    // process has CAP_DAC_READ_SEARCH.
    match sys::retry(|| linkat(file, "", &target.dir, name, AtFlags::AT_EMPTY_PATH)) {
        Err(errno) if errno != Errno::EEXIST => {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let follow = AtFlags::AT_SYMLINK_FOLLOW;
            sys::retry(|| linkat(AT_FDCWD, path.as_str(), &target.dir, name, follow))
        }
        linked => linked,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn link(_: &Target, _: &File, _: &CStr) -> nix::Result<()> {
    Err(Errno::EOPNOTSUPP) // There are no nameless files to link.
}
