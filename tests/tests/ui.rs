//! What the attributes say of mistakes. After a change of a message, `TRYBUILD=overwrite` writes the `.stderr` files anew: read
//! what changed.

/// No case that compiles is among them (those are in `accepted`): with one, trybuild would no longer check all at once.
#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    for attribute in ["register", "autotune", "impl_plugin", "aot_impl", "tactic", "kernels", "dispatch"] {
        cases.compile_fail(format!("ui/{attribute}/fail/*.rs"));
    }
}
