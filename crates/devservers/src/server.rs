use std::{
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{
    DevServerError,
    process::{Program, STOP_WITHIN, until},
};

const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// What to expect of a server that starts.
pub(crate) struct Startup {
    pub(crate) ready_within: Duration,
    /// Starts that a port taken meanwhile, or a predecessor that is still stopping, may cost.
    pub(crate) tries: usize,
    /// What an unlucky start says when another try may do.
    pub(crate) passing: [&'static str; 2],
    /// What the kernel sends when the owner dies: KILL, or what makes it stop at once.
    pub(crate) dies_by: &'static str,
}

enum Order {
    IsRunning(mpsc::Sender<bool>),
    Stop { signal: &'static str, done: mpsc::Sender<()> },
}

/// A running server. A thread of its own starts it and waits with it: the kernel ties the server's
/// life to that thread, so it must not be one that ends earlier.
pub(crate) struct Server {
    orders: mpsc::Sender<Order>,
    pub(crate) pid: u32,
}

impl Server {
    /// Starts the program that `prepare` describes, on the port it names, until it answers there. A
    /// start that was unlucky is prepared and tried again.
    pub(crate) fn start(
        startup: &Startup,
        mut prepare: impl FnMut() -> Result<(u16, Program), DevServerError>,
        answers: impl Fn(u16) -> bool,
    ) -> Result<(Self, u16), DevServerError> {
        let mut tries = 0;
        loop {
            let (port, program) = prepare()?;
            let server = Self::spawn(&program, startup.dies_by)?;
            let mut is_ready = false;
            until(startup.ready_within, || {
                // in this order: an answer counts only if it can have been this server's
                is_ready = server.is_running() && answers(port) && server.is_running();
                is_ready || !server.is_running()
            });
            if is_ready {
                return Ok((server, port));
            }
            if server.is_running() {
                return Err(program.silent(startup.ready_within));
            }
            tries += 1;
            let tail = program.tail();
            if tries >= startup.tries || !startup.passing.iter().any(|reason| tail.contains(reason))
            {
                return Err(program.ended());
            }
            until(BETWEEN_TRIES, || false);
        }
    }

    fn spawn(program: &Program, signal: &'static str) -> Result<Self, DevServerError> {
        let (orders, inbox) = mpsc::channel();
        let (started, outcome) = mpsc::channel();
        let owned = program.clone();
        thread::spawn(move || match owned.spawn(signal) {
            Err(error) => drop(started.send(Err(error))),
            Ok(child) => {
                started.send(Ok(child.id())).ok();
                serve(child, &inbox);
            }
        });
        let gone = |_| program.ended();
        let pid = outcome.recv().map_err(gone)??;
        Ok(Self { orders, pid })
    }

    fn is_running(&self) -> bool {
        let (answer, is_running) = mpsc::channel();
        self.orders.send(Order::IsRunning(answer)).is_ok() && is_running.recv().unwrap_or(false)
    }

    /// Sends `signal` and waits until the server is gone; kills it if it takes too long.
    pub(crate) fn stop(&self, signal: &'static str) {
        let (done, is_done) = mpsc::channel();
        if self.orders.send(Order::Stop { signal, done }).is_ok() {
            is_done.recv().ok();
        }
    }
}

fn serve(mut child: Child, inbox: &mpsc::Receiver<Order>) {
    for order in inbox {
        match order {
            Order::IsRunning(answer) => {
                answer.send(matches!(child.try_wait(), Ok(None))).ok();
            }
            Order::Stop { signal, done } => {
                let kill = format!("kill -{signal} {}", child.id());
                Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().ok();
                if !until(STOP_WITHIN, || !matches!(child.try_wait(), Ok(None))) {
                    child.kill().ok();
                    child.wait().ok();
                }
                done.send(()).ok();
            }
        }
    }
    child.kill().ok();
    child.wait().ok();
}
