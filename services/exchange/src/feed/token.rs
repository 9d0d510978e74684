use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use onenet_chassis::config::{ConfigError, ExchangeSettings, secret};
use uuid::Uuid;

/// Where a subscription goes on: what a resume token says, sealed for its subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The subscription.
    pub subscription: Uuid,
    /// The feed's log.
    pub log_id: Uuid,
    /// Its epoch.
    pub epoch: u32,
    /// The last position that was looked at.
    pub position: u64,
    /// The last sequence that was given out.
    pub sequence: u64,
}

const LENGTH: usize = 16 + 16 + 4 + 8 + 8;

impl Resume {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(self.subscription.as_bytes());
        bytes.extend(self.log_id.as_bytes());
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.position.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subscription, rest) = bytes.split_first_chunk()?;
        let (log_id, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (position, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        rest.is_empty().then_some(Self {
            subscription: Uuid::from_bytes(*subscription),
            log_id: Uuid::from_bytes(*log_id),
            epoch: u32::from_be_bytes(*epoch),
            position: u64::from_be_bytes(*position),
            sequence: u64::from_be_bytes(*sequence),
        })
    }
}

/// Seals and opens resume tokens: authenticated encryption, bound to the subscriber, so that a token
/// tells nothing and serves nobody else.
pub struct Tokens(LessSafeKey);

impl Tokens {
    /// With the key that settings name.
    pub fn from_settings(settings: &ExchangeSettings) -> Result<Self, ConfigError> {
        const SETTING: &str = "exchange.token_key_file";
        let wrong =
            |reason: &str| ConfigError::Value { setting: SETTING, reason: reason.to_owned() };
        let file = settings.token_key_file.as_ref();
        let file =
            file.ok_or_else(|| wrong("name the file that holds the key of resume tokens"))?;
        let mut key = [0; 32];
        hex::decode_to_slice(secret(SETTING, file)?, &mut key)
            .map_err(|_shape| wrong("the file does not hold 32 bytes in hexadecimal"))?;
        Self::new(&key).ok_or_else(|| wrong("the key is not accepted"))
    }

    fn new(key: &[u8; 32]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// A token; none only where the system has no random bytes.
    #[must_use]
    pub fn seal(&self, subscriber: &str, resume: Resume) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).ok()?;
        let mut sealed = resume.to_bytes();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, Aad::from(subscriber), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// What a token of this subscriber says; none if it is another's, damaged, or not ours.
    #[must_use]
    pub fn open(&self, subscriber: &str, token: &str) -> Option<Resume> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(subscriber), &mut sealed).ok()?;
        Resume::from_bytes(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume() -> Resume {
        let (subscription, log_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        Resume { subscription, log_id, epoch: 3, position: 4, sequence: 5 }
    }

    #[test]
    fn a_token_says_where_to_go_on_to_its_own_subscriber_alone() {
        let tokens = Tokens::new(&[7; 32]).unwrap();
        let token = tokens.seal("a", resume()).unwrap();
        assert_eq!(tokens.open("a", &token), Some(resume()));
        assert_eq!(tokens.open("b", &token), None);
        assert_eq!(Tokens::new(&[8; 32]).unwrap().open("a", &token), None);
    }

    #[test]
    fn a_damaged_token_says_nothing() {
        let tokens = Tokens::new(&[7; 32]).unwrap();
        let token = tokens.seal("a", resume()).unwrap();
        for place in 0..token.len() {
            let mut damaged = token.clone().into_bytes();
            damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.open("a", &String::from_utf8(damaged).unwrap()), None, "{place}");
        }
        assert_eq!(tokens.open("a", ""), None);
        assert_eq!(tokens.open("a", "中"), None);
    }
}
