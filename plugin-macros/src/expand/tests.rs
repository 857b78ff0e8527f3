//! Properties of whole expansions that no compiled case shows.

use proc_macro2::TokenStream;
use quote::quote;

use super::{aot_impl, autotune, impl_plugin, register, tactic};

/// One use of each attribute, with the runtime at `path`.
fn expansions(path: &TokenStream) -> Vec<String> {
    let id = quote!("test::scale", crate = #path);
    let all = [
        register(
            id.clone(),
            quote!(
                fn scale(x: &TensorDesc, #[default([ONE])] halves: &[f16], mode: &str) -> Result<TensorDesc> {}
            ),
        ),
        autotune(
            id.clone(),
            quote! {
                fn tune(x: &TensorDesc, mode: &str, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
                    vec![AutoTuneCombination::new("FP32, FP32").layouts("LINEAR")]
                }
            },
        ),
        impl_plugin(
            quote!(#id, device = cuda, device_shape = true, workspace = x.numel()),
            quote!(
                fn run(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace, tactic: Choice) {}
            ),
        ),
        aot_impl(
            id,
            quote!(
                fn kernel(x: &TensorDesc, outputs: &[TensorDesc; 1], tactic: i32) -> AotKernel {}
            ),
        ),
        tactic(quote!(
            #[tactic(crate = #path)]
            enum Choice {
                Rows = 1,
            }
        )),
    ];
    all.map(|tokens| tokens.to_string()).into()
}

#[test]
fn the_runtime_is_named_by_its_path_alone() {
    for expansion in expansions(&quote!(::elsewhere)) {
        assert!(!expansion.contains("plugin_runtime"), "{expansion}");
        assert!(!expansion.contains("compile_error"), "{expansion}");
        assert!(expansion.contains(":: elsewhere :: __private"), "{expansion}");
    }
}

#[test]
fn expansions_are_items() {
    for expansion in expansions(&quote!(::elsewhere)) {
        assert!(syn::parse_str::<syn::File>(&expansion).is_ok(), "{expansion}");
    }
}

#[test]
fn odd_arguments_are_reported_and_the_function_stays() {
    let function = || {
        quote!(
            fn f(x: &TensorDesc) -> TensorDesc {
                x.like()
            }
        )
    };
    let odd = [
        quote!(),
        quote!(,),
        quote!(,,),
        quote!("a::b" "c::d"),
        quote!("a::b", ,),
        quote!("a::b", version =),
        quote!("a::b", version = ,),
        quote!("a::b", version = 1 2),
        quote!("a::b", = 3),
        quote!("a::b", crate),
        quote!("a::b", crate = ::a::<b>),
        quote!("a::b", 7),
        quote!(b"a::b"),
        quote!(id = "a::b"),
        quote!(["a::b"]),
    ];
    for arguments in odd {
        for expand in [register, autotune, impl_plugin, aot_impl] {
            let expansion = expand(arguments.clone(), function()).to_string();
            assert!(expansion.contains("compile_error"), "{arguments}: {expansion}");
            assert!(expansion.contains("fn f (x : "), "{arguments}: {expansion}");
        }
    }
}

#[test]
fn odd_items_are_reported_and_stay() {
    let odd = [
        quote!(
            struct S;
        ),
        quote!(
            fn f();
        ),
        quote!(
            mod m {}
        ),
        quote!(),
        quote!(
            const X: i32 = 1;
        ),
    ];
    for item in odd {
        for expand in [register, autotune, impl_plugin, aot_impl] {
            let expansion = expand(quote!("a::b"), item.clone()).to_string();
            assert!(expansion.contains("compile_error"), "{expansion}");
            assert!(expansion.ends_with(&item.to_string()), "{expansion}");
        }
    }
}
