//! Resume tokens: what is not ours opens nothing; what is ours says to its subscriber what was sealed, to
//! nobody else, and nothing any more once a character of it is another.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onenet_chassis::config::ExchangeSettings;
use onenet_exchange::feed::{Resume, Tokens};
use uuid::Uuid;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "07".repeat(32)).expect("a file");
    let token_key_file = Some(file.path().to_owned());
    Tokens::from_settings(&ExchangeSettings { token_key_file }).expect("a key")
});

/// Where to go on, whose it is, and which character is damaged.
fn parts(data: &[u8]) -> Option<(Resume, &str, usize)> {
    let (subscription, rest) = data.split_first_chunk()?;
    let (log_id, rest) = rest.split_first_chunk()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (position, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (damaged, subscriber) = rest.split_first()?;
    let resume = Resume {
        subscription: Uuid::from_bytes(*subscription),
        log_id: Uuid::from_bytes(*log_id),
        epoch: u32::from_be_bytes(*epoch),
        position: u64::from_be_bytes(*position),
        sequence: u64::from_be_bytes(*sequence),
    };
    Some((resume, str::from_utf8(subscriber).ok()?, usize::from(*damaged)))
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        assert_eq!(TOKENS.open("91410100MA00000302", text), None, "nobody sealed it");
    }
    let Some((resume, subscriber, damaged)) = parts(data) else { return };
    let token = TOKENS.seal(subscriber, resume).expect("random bytes");
    assert_eq!(TOKENS.open(subscriber, &token), Some(resume));
    assert_eq!(TOKENS.open(&format!("{subscriber}0"), &token), None);
    let mut other = token.into_bytes();
    let place = damaged % other.len();
    other[place] = if other[place] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).expect("a character of the alphabet");
    assert_eq!(TOKENS.open(subscriber, &other), None, "damaged at {place}");
});
