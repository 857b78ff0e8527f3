//! Texts of bounded length.

use std::fmt::{self, Display, Write};

/// The longest text of an expression inside an error message, in bytes.
const EXCERPT_LENGTH: usize = 200;

/// The text, cut where it is too long for a message.
pub(super) fn excerpt(value: impl Display) -> String {
    struct Excerpt(String);

    impl Write for Excerpt {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = EXCERPT_LENGTH.saturating_sub(self.0.len());
            let end = text.floor_char_boundary(room);
            self.0.push_str(&text[..end]);
            if end < text.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut excerpt = Excerpt(String::new());
    if write!(excerpt, "{value}").is_err() {
        excerpt.0.push_str("...");
    }
    excerpt.0
}
