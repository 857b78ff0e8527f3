//! Plugins as operators of PyTorch where there is none: a library that exports the functions of PyTorch which plugins use
//! stands in for it. The frameworks' own tests run the same library in PyTorch itself.

#![cfg(unix)]
#![expect(unsafe_code, reason = "calls functions of C")]

mod operators;
mod torch;

use torch::{Torch, Value};

#[test]
fn schemas_have_typed_attributes_and_their_defaults() {
    let torch = Torch::get();
    for schema in [
        "gpu::scale(Tensor x, float factor) -> Tensor",
        "gpu::keep_positive(Tensor x, bool wide) -> (Tensor, Tensor)",
        "gpu::offsets(Tensor x, int[] table, *, str signs=\"+\") -> Tensor",
        "gpu::affine(Tensor x, float[] factors, *, int shift=3, bool negate=False) -> Tensor",
        "sample::circ_pad_plugin(Tensor inp0, int[] pads) -> Tensor",
        "sample::inplace_add_plugin(Tensor(a0!) inp0, int delta) -> ()",
        "test::misbehave(Tensor x, *, int[] tactics=[1, 2, 3, 4, 5, 6]) -> (Tensor, Tensor)",
        "test::refuse_nan(Tensor x, *, bool by_panic=False) -> Tensor",
        "test::colossal(Tensor x) -> (Tensor, Tensor, Tensor)",
    ] {
        let (name, expected) = schema.split_once('(').unwrap();
        let found = torch.schema(name).unwrap_or_else(|| panic!("{name} isn't there"));
        let own = name.split_once("::").unwrap().1;
        assert_eq!(found, format!("{own}({expected}"));
    }
    assert_eq!(torch.schema("sample::circ_pad"), None);
}

#[test]
fn what_is_registered_stays_so() {
    let _alone = Torch::alone();
    let torch = Torch::get();
    assert_eq!(torch.register(), None);
    assert_eq!(torch.register(), None);
    let second = torch.load("second-library");
    assert_eq!(torch.register_of(&second), None);
    let x = torch.floats(&[1.0, -2.0], &[2]);
    let y = torch.call("second::negate", &[Value::Tensor(&x)], 1).unwrap();
    assert_eq!(y[0].floats(), [-1.0, 2.0]);
}

/// Run by the test below, in a process of its own.
#[test]
#[ignore = "it needs an environment of its own"]
fn an_old_torch() {
    let torch = Torch::get();
    let refused = torch.register().unwrap();
    assert_eq!(refused, "this is PyTorch 2.9; plugins need 2.10 or newer");
    assert_eq!(torch.schema("gpu::scale"), None);
}

#[test]
fn an_old_torch_is_refused() {
    // Both libraries have to be there before.
    let _ = Torch::get();
    let mut itself = std::process::Command::new(std::env::current_exe().unwrap());
    itself.args(["--exact", "an_old_torch", "--ignored", "--nocapture"]).env("STAND_IN_TORCH_MINOR", "9");
    let ended = tests::command::run(&mut itself);
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("1 passed"), "{}", ended.stdout);
    let told = "torch operators of plugins: this is PyTorch 2.9; plugins need 2.10 or newer";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}
