use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, ensure};
use fastrand::Rng;

/// What a process is loaded with whose clock is another machine's (`clock.c`).
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clock.so"));
/// Hours that the clocks of processes are ahead, of one after the other, in an order of chance; the last is five years.
const AHEAD: [i64; 10] = [0, 0, 0, 0, 0, 3, -3, 48, -48, 5 * 365 * 24];
const SECONDS: i64 = 3_600;

/// Variables that a program finds in its environment.
pub(crate) type Environment = [(&'static str, String); 2];

/// Clocks of the machines that the processes of a node run on, as far as these can tell.
pub(crate) struct Clocks {
    library: PathBuf,
    drawn: Mutex<Drawn>,
}

/// What was drawn, and what is left of a round.
struct Drawn {
    chance: Rng,
    round: Vec<i64>,
    starts: BTreeMap<i64, usize>,
}

impl Clocks {
    /// Puts the library into a folder, and looks whether a program shows another time with it.
    pub(crate) fn in_folder(folder: &Path, chance: Rng) -> Result<Self> {
        let library = folder.join("clock.so");
        fs::write(&library, LIBRARY)?;
        let drawn = Drawn { chance, round: Vec::new(), starts: BTreeMap::new() };
        let clocks = Self { library, drawn: Mutex::new(drawn) };
        // the loader passes over what lies on a file system that is mounted `noexec`
        let ahead = clocks.shown(48)? - clocks.shown(0)?;
        ensure!(ahead >= 48 * SECONDS, "no program can be run from {}", folder.display());
        Ok(clocks)
    }

    /// The clock of the next process that is started.
    pub(crate) fn draw(&self) -> Environment {
        let hours = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).draw();
        self.ahead(hours)
    }

    /// How many processes were started, by the hours that their clock was ahead.
    pub(crate) fn starts(&self) -> BTreeMap<i64, usize> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).starts.clone()
    }

    /// A clock that is so many hours ahead.
    pub(crate) fn ahead(&self, hours: i64) -> Environment {
        let library = self.library.to_string_lossy().into_owned();
        [("LD_PRELOAD", library), ("TORTURE_CLOCK", (hours * SECONDS).to_string())]
    }

    /// Seconds since 1970, as a program shows them.
    fn shown(&self, hours: i64) -> io::Result<i64> {
        let shown = Command::new("date").arg("+%s").envs(self.ahead(hours)).output()?;
        String::from_utf8_lossy(&shown.stdout).trim().parse().map_err(io::Error::other)
    }
}

impl Drawn {
    fn draw(&mut self) -> i64 {
        if self.round.is_empty() {
            self.round = AHEAD.to_vec();
            self.chance.shuffle(&mut self.round);
        }
        let hours = self.round.pop().unwrap_or_default();
        *self.starts.entry(hours).or_default() += 1;
        hours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_goes_by_the_clock_that_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let clocks = Clocks::in_folder(folder.path(), Rng::with_seed(1)).unwrap();
        let minute = 60;
        for hours in AHEAD {
            let apart = clocks.shown(hours).unwrap() - clocks.shown(0).unwrap();
            assert!((hours * SECONDS - apart).abs() < minute, "{hours} h: {apart} s");
        }
    }

    #[test]
    fn each_round_has_every_clock() {
        let folder = tempfile::tempdir().unwrap();
        let clocks = Clocks::in_folder(folder.path(), Rng::with_seed(2)).unwrap();
        for _ in AHEAD {
            clocks.draw();
        }
        let drawn = clocks.starts();
        assert!(AHEAD.iter().all(|hours| drawn[hours] == if *hours == 0 { 5 } else { 1 }));
    }
}
