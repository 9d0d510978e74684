use std::{fs, net::TcpListener, path::Path};

use crate::DevServerError;

/// Below the ephemeral range, so that no outgoing connection takes the port in the meantime.
const FROM: u16 = 20_000;
const TO: u16 = 32_000;

/// The port noted in `file` if it is free, otherwise a free one, which is noted there: clients
/// remember where a server was.
pub(crate) fn remembered(file: &Path) -> Result<u16, DevServerError> {
    let noted = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    if let Some(port) = noted.filter(|port| is_free(*port)) {
        return Ok(port);
    }
    let port = free()?;
    fs::write(file, port.to_string()).map_err(DevServerError::files("noting a port in", file))?;
    Ok(port)
}

/// A free port of the loopback address, for a server that is told its port.
pub fn free() -> Result<u16, DevServerError> {
    (0..200)
        .map(|_| random(FROM, TO))
        .find(|port| is_free(*port))
        .ok_or(DevServerError::NoPort { from: FROM, to: TO })
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
