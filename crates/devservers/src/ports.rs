use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::DevServerError;

/// Below the ephemeral range, so that no outgoing connection takes the port in the meantime.
const FROM: u16 = 20_000;
const TO: u16 = 32_000;

/// What this process has handed out: a port is free until a server listens there, so asking twice
/// could answer the same one to both.
static HANDED_OUT: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// For each file the port noted there if it is free, otherwise a free one, which is noted there:
/// clients remember where a server was. No two are the same.
pub(crate) fn remembered<const N: usize>(files: [&Path; N]) -> Result<[u16; N], DevServerError> {
    let noted = files.map(|file| {
        let port = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        hand_out(port);
        Some(port)
    });
    let mut ports = [0; N];
    for (port, (file, noted)) in ports.iter_mut().zip(files.into_iter().zip(noted)) {
        *port = match noted.filter(|port| is_free(*port)) {
            Some(noted) => noted,
            None => note(file, free()?)?,
        };
    }
    Ok(ports)
}

fn note(file: &Path, port: u16) -> Result<u16, DevServerError> {
    fs::write(file, port.to_string()).map_err(DevServerError::files("noting a port in", file))?;
    Ok(port)
}

/// A free port of the loopback address, for a server that is told its port; never the same again.
pub fn free() -> Result<u16, DevServerError> {
    (0..200)
        .map(|_| random(FROM, TO))
        .find(|port| hand_out(*port) && is_free(*port))
        .ok_or(DevServerError::NoPort { from: FROM, to: TO })
}

/// Whether this process had not handed it out before.
fn hand_out(port: u16) -> bool {
    HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner).insert(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn random(from: u16, to: u16) -> u16 {
    let [high, low, ..] = random_bytes();
    from + u16::from_be_bytes([high, low]) % (to - from)
}

#[expect(clippy::disallowed_methods, reason = "ports, passwords and names of private servers")]
pub(crate) fn random_bytes() -> [u8; 16] {
    uuid::Uuid::new_v4().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_handed_out_once() {
        let ports: Vec<_> = (0..500).map(|_| free().unwrap()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_noted_port_is_handed_out_to_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["port", "controller.port"].map(|name| folder.path().join(name));
        let port = (1_024..FROM).find(|port| is_free(*port)).unwrap();
        fs::write(&second, port.to_string()).unwrap();
        let [chosen, noted] = remembered([&first, &second]).unwrap();
        assert!(!hand_out(port) && !hand_out(chosen));
        assert_eq!(remembered([&first, &second]).unwrap(), [chosen, noted]);
    }
}
