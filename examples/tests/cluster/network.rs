//! Two machines with a wire between them that can be cut, in network namespaces
//! of their own: this machine's network does not change.

use std::fs;
use std::process::Stdio;

use nix::unistd::Pid;

use crate::system::{Process, command, eventually, find, is_root, run, skip};

/// The address of the server. These addresses are for documentation, so nothing real has them.
pub(crate) const SERVER: &str = "192.0.2.1";

#[derive(Debug)]
pub(crate) struct Network {
    server: Process,
    leader: Process,
}

impl Network {
    /// Nothing where this machine does not let the test have one.
    pub(crate) fn start() -> Option<Network> {
        if !is_root() {
            return skip("a network to cut needs root");
        }
        if find("ip").is_none() {
            return skip("a network to cut needs `ip` (Debian: iproute2)");
        }
        let network = Network {
            server: machine()?,
            leader: machine()?,
        };
        let leader = network.leader.pid();
        // A bridge at the server's end: what is cut is then in the middle, and both ends see packets
        // vanish and not an interface go down.
        // Its own hardware address: otherwise the server would hear what arrives on the loose wire.
        let words = "link add bridge address 02:00:00:00:00:01 type bridge";
        let bridge = ip(network.server.pid(), words).output();
        if !bridge.is_ok_and(|output| output.status.success()) {
            return skip("a network to cut needs bridges in this kernel");
        }
        for words in [
            format!("link add wire type veth peer name eth0 netns {leader}"),
            "link set wire master bridge up".into(),
            format!("address add {SERVER}/24 dev bridge"),
            "link set bridge up".into(),
            "link set lo up".into(),
        ] {
            run(ip(network.server.pid(), &words));
        }
        run(ip(leader, "address add 192.0.2.2/24 dev eth0"));
        run(ip(leader, "link set eth0 up"));
        Some(network)
    }

    pub(crate) fn server(&self) -> Pid {
        self.server.pid()
    }

    pub(crate) fn leader(&self) -> Pid {
        self.leader.pid()
    }

    pub(crate) fn cut(&self, cut: Cut) {
        run(ip(self.server(), cut.begin()));
    }

    pub(crate) fn mend(&self, cut: Cut) {
        run(ip(self.server(), cut.end()));
    }
}

/// What gets lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Everything,
    /// What the server sends: it still hears the leader.
    Answers,
}

impl Cut {
    fn begin(self) -> &'static str {
        match self {
            Cut::Everything => "link set wire nomaster",
            Cut::Answers => "route add blackhole 192.0.2.2",
        }
    }

    fn end(self) -> &'static str {
        match self {
            Cut::Everything => "link set wire master bridge",
            Cut::Answers => "route delete blackhole 192.0.2.2",
        }
    }
}

/// A process that does nothing but have a network.
fn machine() -> Option<Process> {
    let mut unshare = command("unshare", None, false);
    unshare
        .args(["--net", "sleep", "infinity"])
        .stderr(Stdio::null());
    let mut process = Process::start(unshare);
    let ours = fs::read_link("/proc/self/ns/net").expect("/proc");
    let theirs = format!("/proc/{}/ns/net", process.pid());
    let mut refused = false;
    eventually("a network of its own", || {
        refused = process.status().is_some();
        refused || fs::read_link(&theirs).is_ok_and(|theirs| theirs != ours)
    });
    if refused {
        return skip("a network to cut needs `unshare --net`");
    }
    Some(process)
}

fn ip(network: Pid, words: &str) -> std::process::Command {
    let mut ip = command("ip", Some(network), false);
    ip.args(words.split(' '));
    ip
}
