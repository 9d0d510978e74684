//! A node of `onenet up`: a process, its servers with it, to stop and to kill.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use onenet_chassis::private::PrivateNode;

use crate::{
    actors::Reach,
    network::onenet,
    process::{Process, until},
};

/// The node, over a folder that outlives it.
pub struct Up {
    /// Its settings and certificates.
    pub node: PrivateNode,
    /// Where its files are.
    pub folder: PathBuf,
    address: SocketAddr,
    process: Process,
}

impl Up {
    /// Starts it on a free port, with further words for the command line.
    pub async fn start(folder: &Path, words: &[&str]) -> Self {
        // PostgreSQL runs as another user where the test is root
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        Self::listen(folder, "127.0.0.1:0", words).await
    }

    /// Kills it where it stands, and starts it again on the port it had.
    pub async fn kill_and_start(self, words: &[&str]) -> Self {
        self.process.kill();
        Self::listen(&self.folder, &self.address.to_string(), words).await
    }

    async fn listen(folder: &Path, listen: &str, words: &[&str]) -> Self {
        let data = folder.to_str().unwrap();
        let words = [&["up", "--data", data, "--listen", listen], words].concat();
        let process = Process::start(onenet(), &words);
        until("a node that is ready", async || {
            process.said().iter().any(|line| line.contains("Ctrl-C"))
        })
        .await;
        let said = process.said();
        let address = said.iter().find_map(|line| line.split_once("https://")).unwrap().1;
        let (node, address) = (PrivateNode::open(folder).unwrap(), address.parse().unwrap());
        Self { node, folder: folder.to_owned(), address, process }
    }

    /// What it holds in memory, in MiB; its servers do not count.
    #[must_use]
    pub fn resident(&self) -> u64 {
        self.process.resident()
    }

    /// Asks it to stop, and expects it to end well.
    pub async fn stop(self) {
        self.process.terminate();
        assert!(self.process.ended().await, "the node did not stop well");
    }
}

impl Reach for Up {
    fn node(&self) -> &PrivateNode {
        &self.node
    }

    fn address(&self, _: &str) -> SocketAddr {
        self.address
    }
}
