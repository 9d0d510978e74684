//! Unified social credit codes (统一社会信用代码): a code is the text it was read from, its last character follows
//! from the others, and no other character in any place makes it another code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_standards::Uscc;

const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

fuzz_target!(|text: &str| {
    if let Ok(code) = Uscc::from_body(text) {
        assert_eq!(&code.as_str()[..17], text);
        checked(&code);
    }
    if let Ok(code) = text.parse::<Uscc>() {
        assert_eq!(code.as_str(), text);
        checked(&code);
    }
});

fn checked(code: &Uscc) {
    let text = code.to_string();
    assert_eq!(text.len(), 18);
    assert_eq!(Uscc::from_body(&text[..17]).as_ref(), Ok(code));
    for place in 0..18 {
        for other in ALPHABET.chars().filter(|other| !text[place..].starts_with(*other)) {
            let mut mistyped = text.clone();
            mistyped.replace_range(place..=place, other.encode_utf8(&mut [0; 4]));
            assert!(mistyped.parse::<Uscc>().is_err(), "{mistyped} beside {text}");
        }
    }
}
