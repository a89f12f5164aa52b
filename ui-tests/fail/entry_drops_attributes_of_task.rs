//! Another one, and one more between the two.

use pidfile::pidfile;

#[pidfile]
#[cfg_attr(all(), allow(unused))]
#[embassy_executor::main]
async fn main(_spawner: embassy_executor::Spawner) {}
