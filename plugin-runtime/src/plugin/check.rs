//! Checks that run while an author's crate is compiled; each panics with a message that says what to write.

use super::PluginSpec;
use crate::plugin::combination::grammar::{self, Fault, GrammarError};
use crate::suggest::same_text;

/// The id of an impl is that of the module it was found by.
#[track_caller]
pub const fn id<P: PluginSpec>(written: &str) {
    if !same_text(P::ID, written) {
        Message::new()
            .text("the module in scope here registers `")
            .text(P::ID)
            .text("`: write that id, or name the plugin's module with `plugin = path`")
            .fail();
    }
}

/// Input `index` has the registered name.
#[track_caller]
pub const fn input<P: PluginSpec>(index: usize, name: &str) {
    if index < P::INPUTS.len() && same_text(P::INPUTS[index], name) {
        return;
    }
    let mut message = Message::new();
    if index >= P::INPUTS.len() {
        message = message.text("`").text(P::ID).text("` has ").count(P::INPUTS.len(), "input").text(" (");
        message = message.list(P::INPUTS).text("): remove `").text(name).text("`");
    } else {
        message = message.text("input ").number(index + 1).text(" of `").text(P::ID).text("` is called `");
        message =
            message.text(P::INPUTS[index]).text("`, not `").text(name).text("`: name the inputs as `register` does, ");
        message = message.text("in its order: ").list(P::INPUTS);
    }
    message.fail();
}

/// No input is left out; more than there are is for [`input`] to say.
#[track_caller]
pub const fn inputs<P: PluginSpec>(count: usize) {
    if count < P::INPUTS.len() {
        Message::new()
            .text("`")
            .text(P::ID)
            .text("` has ")
            .count(P::INPUTS.len(), "input")
            .text(" (")
            .list(P::INPUTS)
            .text("), and here ")
            .text(if count == 1 { "is " } else { "are " })
            .number(count)
            .text(": write them all, in this order")
            .fail();
    }
}

/// Attribute `name` stands after `previous` in `register` too. Names that it doesn't have are for the compiler to find.
#[track_caller]
pub const fn order<P: PluginSpec>(previous: &str, name: &str) {
    let (previous_place, place) = (position(P::ATTRIBUTES, previous), position(P::ATTRIBUTES, name));
    if place < P::ATTRIBUTES.len() && previous_place < P::ATTRIBUTES.len() && place <= previous_place {
        Message::new()
            .text("attributes stand in the order of `register`: `")
            .text(name)
            .text("` comes before `")
            .text(previous)
            .text("` there (")
            .list(P::ATTRIBUTES)
            .text(")")
            .fail();
    }
}

/// The number of outputs is the registered one.
#[track_caller]
pub const fn outputs<P: PluginSpec>(count: usize) {
    if count != P::OUTPUTS {
        Message::new()
            .text("`")
            .text(P::ID)
            .text("` has ")
            .count(P::OUTPUTS, "output")
            .text(", not ")
            .number(count)
            .text(": write ")
            .number(P::OUTPUTS)
            .text(" here")
            .fail();
    }
}

/// A literal of type names has one entry per input and output.
#[track_caller]
pub const fn types<P: PluginSpec>(text: &str) {
    grammar::check_types(text, P::INPUTS.len(), P::OUTPUTS);
}

/// A literal of layout names has one entry, or one per input and output.
#[track_caller]
pub const fn layouts<P: PluginSpec>(text: &str) {
    grammar::check_layouts(text, P::INPUTS.len(), P::OUTPUTS);
}

/// A literal of type names holds the choices of one input or output.
#[track_caller]
pub const fn types_of_one<P: PluginSpec>(text: &str) {
    of_one(text, grammar::validate_types(text, 1, 0));
}

/// A literal of layout names holds the choices of one input or output.
#[track_caller]
pub const fn layouts_of_one<P: PluginSpec>(text: &str) {
    of_one(text, grammar::validate_layouts(text, 1, 0));
}

#[track_caller]
const fn of_one(text: &str, result: Result<(), GrammarError<'_>>) {
    let Err(error) = result else { return };
    if matches!(error.fault, Fault::EntryCount { .. }) {
        Message::new()
            .text("`")
            .text(text)
            .text("` holds a `,`: these are the choices of each position listed, so write them with `|` or `*` between")
            .fail();
    }
    panic!("{}", error.message().as_str());
}

/// A tactic's number is a positive `i32`.
#[track_caller]
pub const fn tactic(name: &str, id: i128) {
    if id < 1 || id > i32::MAX as i128 {
        Message::new()
            .text("tactics are numbered from 1 to 2147483647 (0 is what runs where a plugin lists none): give `")
            .text(name)
            .text("` such a number, e.g. `")
            .text(name)
            .text(" = 1`")
            .fail();
    }
}

/// The length of `names` where `name` isn't among them.
const fn position(names: &[&str], name: &str) -> usize {
    let mut i = 0;
    while i < names.len() && !same_text(names[i], name) {
        i += 1;
    }
    i
}

/// Text put together at compile time; what goes beyond its capacity is cut off.
struct Message {
    bytes: [u8; Message::CAPACITY],
    len: usize,
}

impl Message {
    const CAPACITY: usize = 1024;

    const fn new() -> Self {
        Message { bytes: [0; Message::CAPACITY], len: 0 }
    }

    /// Appends `text`, or as many of its characters as there is room for.
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut taken = text.len();
        if taken > Message::CAPACITY - self.len {
            taken = Message::CAPACITY - self.len;
            while taken > 0 && text[taken] & 0b1100_0000 == 0b1000_0000 {
                taken -= 1;
            }
        }
        let mut i = 0;
        while i < taken {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let message = if number >= 10 { self.number(number / 10) } else { self };
        let digit = [b'0' + (number % 10) as u8];
        match std::str::from_utf8(&digit) {
            Ok(digit) => message.text(digit),
            Err(_) => message,
        }
    }

    /// `1 input`, `2 inputs`.
    const fn count(self, number: usize, what: &str) -> Self {
        let message = self.number(number).text(" ").text(what);
        if number == 1 { message } else { message.text("s") }
    }

    /// `` `a`, `b` ``
    const fn list(self, names: &[&str]) -> Self {
        let mut message = self;
        let mut i = 0;
        while i < names.len() {
            message = message.text(if i == 0 { "`" } else { ", `" }).text(names[i]).text("`");
            i += 1;
        }
        message
    }

    const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => "a plugin's function doesn't match its `register` function",
        }
    }

    #[track_caller]
    const fn fail(&self) {
        panic!("{}", self.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn messages_are_put_together() {
        let message = Message::new().number(0).text(" ").number(90210).text(" ").count(1, "input").text(" ");
        let message = message.count(2, "input").text(" ").list(&[]).list(&["a", "b"]);
        assert_eq!(message.as_str(), "0 90210 1 input 2 inputs `a`, `b`");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        for prefix in 0..3 {
            let mut message = Message::new().text(&"x".repeat(prefix));
            for _ in 0..Message::CAPACITY {
                message = message.text("€");
            }
            let text = message.as_str();
            assert!(text.ends_with('€') && text.len() > Message::CAPACITY - 3, "{}", text.len());
        }
    }
}
