//! Enums of tactics, with numbers written and not, and names that need care.
#![deny(warnings, missing_docs)]

use plugin_runtime::plugin::combination::Tactic as _;

const LAST: u8 = 200;

/// Tactics with a documentation.
#[derive(Clone, Copy, PartialEq, Debug, plugin_runtime::Tactic)]
#[repr(u8)]
pub enum Choice {
    /// 1.
    First = 1,
    /// 2.
    r#Second,
    /// 200.
    Last = LAST,
}

#[derive(Clone, Copy, plugin_runtime::Tactic)]
enum Option {
    Some = i32::MAX as isize,
}

#[test]
fn numbers_and_names() {
    assert_eq!([Choice::First, Choice::Second, Choice::Last].map(Choice::id), [1, 2, 200]);
    assert_eq!(
        [1, 2, 200, 0, 3, -56].map(Choice::name),
        [Some("First"), Some("Second"), Some("Last"), None, None, None]
    );
    assert_eq!([2, 0].map(Choice::from_id), [Some(Choice::Second), None]);
    assert_eq!(Option::Some.id(), i32::MAX);
}
