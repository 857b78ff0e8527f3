//! What the attributes accept, and what they say of mistakes. After a change of a message, `TRYBUILD=overwrite` writes the
//! `.stderr` files anew: read what changed.

/// One run for all, as the dependencies are built once a run.
#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    for attribute in ["register", "autotune", "impl_plugin", "aot_impl", "tactic", "kernels", "dispatch"] {
        cases.pass(format!("ui/{attribute}/pass/*.rs"));
        cases.compile_fail(format!("ui/{attribute}/fail/*.rs"));
    }
}
