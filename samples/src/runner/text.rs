//! Text that may come from a file of a stranger's.

/// The same on one line, with what can't be seen escaped.
pub(super) fn shown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            other => shown.extend(other.escape_debug()),
        }
        shown
    })
}

/// The same line by line: the ends of lines stay.
pub(super) fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// `1 profile`, `2 profiles`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A file name made of any name: letters, digits, `_`, `-` and `.` stay, but for a `.` in front; of the rest each byte
/// becomes `%` and two digits. Different names give different file names. `position` tells apart names that are too long
/// for a file.
pub(super) fn file_name(name: &str, position: usize) -> String {
    const MOST: usize = 200;
    let mut safe = String::new();
    for (index, byte) in name.bytes().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && index > 0);
        match stays {
            true => safe.push(char::from(byte)),
            false => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    match safe.len() {
        0 => "%".into(),
        1..=MOST => safe,
        _ => format!("{}%+{position}", &safe[..MOST]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(shown("a\n\u{1b}[2J\u{202e}\"é'\\µ"), "a\\n\\u{1b}[2J\\u{202e}\"é'\\µ");
        assert_eq!(shown_lines("a\nb\rc"), "a\nb\\rc");
    }

    #[test]
    fn file_names_stay_in_their_folder_and_apart() {
        for (name, expected) in [
            ("Y", "Y"),
            ("layer/out:0", "layer%2Fout%3A0"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            ("..", "%2E."),
            ("", "%"),
            ("%", "%25"),
            ("a\\b\0", "a%5Cb%00"),
            ("größe", "gr%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(file_name(name, 0), expected, "{name}");
        }
        let long = "x".repeat(1000);
        assert_ne!(file_name(&long, 0), file_name(&long, 1));
        assert!(file_name(&"\n".repeat(1000), usize::MAX).len() < 240);
    }
}
