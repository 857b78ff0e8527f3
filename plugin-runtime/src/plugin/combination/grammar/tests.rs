use super::nearest::nearest;
use super::*;

const _: () = check_types("FP32|FP16, INT32, INT64", 1, 2);
const _: () = check_types("FP32*FP16, FP32|FP16, FP32|FP16", 2, 1);
const _: () = check_layouts(" LINEAR | CHW4 ", 3, 2);
const LITERAL: Result<(), GrammarError<'static>> = validate_types("FP32|FP16, INT23, INT64", 1, 2);
const RENDERED: Option<Message> = match LITERAL {
    Ok(()) => None,
    Err(error) => Some(error.message()),
};

fn fault_of_types(text: &str, inputs: usize, outputs: usize) -> String {
    validate_types(text, inputs, outputs).map_or_else(|e| e.to_string(), |()| "right".to_string())
}

fn fault_of_layouts(text: &str, inputs: usize, outputs: usize) -> String {
    validate_layouts(text, inputs, outputs).map_or_else(|e| e.to_string(), |()| "right".to_string())
}

#[test]
fn messages_are_made_in_constants() {
    assert_eq!(
        RENDERED.unwrap().as_str(),
        "combination `FP32|FP16, INT23, INT64`: entry 2, `INT23`, isn't a type; did you mean INT32? Types are FP32, \
         FP16, BF16, FP8, INT64, INT32, INT8, UINT8, INT4, BOOL"
    );
}

#[test]
fn each_mistake_says_what_to_write() {
    let cases = [
        (
            " ",
            "combination ` `: it is empty; the plugin has 1 input and 1 output: write 2 types, the inputs' first, or \
          one for all",
        ),
        ("FP32,", "combination `FP32,`: entry 2 is empty; write a type there, or drop a comma"),
        (
            "FP32|,FP32",
            "combination `FP32|,FP32`: entry 1 `FP32|` has an empty choice; write a type on both sides of each `|` or `*`",
        ),
        (
            "FP32, FP32|FP16*BF16",
            "combination `FP32, FP32|FP16*BF16`: entry 2 `FP32|FP16*BF16` mixes `|` and `*`; write `|` between choices \
             taken together with the other entries' choices, or `*` between choices of its own",
        ),
        (
            "FP32|FP16, FP32|FP16|BF16",
            "combination `FP32|FP16, FP32|FP16|BF16`: entry 2 `FP32|FP16|BF16` has 3 choices, but entry 1 has 2; choices \
             with `|` are taken together, so write as many in each, or use `*`",
        ),
        (
            "FP32, FP16, FP32",
            "combination `FP32, FP16, FP32`: it has 3 entries; the plugin has 1 input and 1 output: write 2 types, the \
             inputs' first, or one for all",
        ),
        (
            "FP32, FP32 FP16",
            "combination `FP32, FP32 FP16`: entry 2, `FP32 FP16`, isn't a type; is a comma missing? Types are FP32, \
             FP16, BF16, FP8, INT64, INT32, INT8, UINT8, INT4, BOOL",
        ),
        (
            "FP32, CHW4",
            "combination `FP32, CHW4`: entry 2, `CHW4`, isn't a type but a layout. Types are FP32, FP16, BF16, FP8, \
             INT64, INT32, INT8, UINT8, INT4, BOOL",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(fault_of_types(text, 1, 1), message);
    }
    assert_eq!(
        fault_of_layouts("HWC, LINEAR, HWC", 1, 1),
        "layouts `HWC, LINEAR, HWC`: it has 3 entries; the plugin has 1 input and 1 output: write 2 layouts, the \
         inputs' first, or one for all"
    );
    assert_eq!(
        fault_of_layouts("LINEAR|DLA_HWC4", 1, 1),
        "layouts `LINEAR|DLA_HWC4`: entry 1 `DLA_HWC4` isn't available here: it is a layout of DLA cores. Layouts are \
         LINEAR, CHW2, CHW4, CHW16, CHW32, HWC, HWC8, HWC16, DHWC, DHWC8, CDHW32"
    );
}

#[test]
fn right_texts_pass() {
    for text in ["FP32,FP16", "\tFP32 | FP16 ,\n BOOL ", "INT4*FP8*UINT8, FP32|FP16", "BF16|INT8,INT64|INT32"] {
        assert_eq!(fault_of_types(text, 1, 1), "right");
    }
    assert_eq!(fault_of_layouts("CDHW32*DHWC", 3, 4), "right");
    assert_eq!(fault_of_layouts("CHW2,HWC16", 1, 1), "right");
}

#[test]
fn suggestions_are_what_was_meant() {
    let types =
        [("fp32", "FP32"), ("INT23", "INT32"), ("FP61", "FP16"), ("i32", "INT32"), ("BOL", "BOOL"), ("half", "FP16")];
    for (name, meant) in types {
        assert_eq!(nearest(name, Vocabulary::Types), Some(meant), "{name}");
    }
    for (name, meant) in [("linaer", "LINEAR"), ("CHW", "LINEAR"), ("nhwc", "HWC"), ("CDHW3", "CDHW32")] {
        assert_eq!(nearest(name, Vocabulary::Layouts), Some(meant), "{name}");
    }
    for name in ["", "X", "QQ", "COMPLEX64", "a name that is longer than every other"] {
        assert_eq!(nearest(name, Vocabulary::Types), None, "{name}");
    }
}

#[test]
fn any_text_gets_an_answer_that_fits() {
    let pieces = ["FP32", "INT8", "|", "*", ",", " ", "ü", "CHW4", "🦀", "", "X".repeat(700).leak()];
    let mut state = 7u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..state % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += pieces[(state >> 33) as usize % pieces.len()];
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for vocabulary in [Vocabulary::Types, Vocabulary::Layouts] {
            let answer = validate(&text, vocabulary, (state % 3) as usize, usize::MAX);
            if let Err(error) = answer {
                assert!(error.message().as_str().len() > 20, "{text}");
            }
            let agreed = naive(&text, vocabulary, 2);
            assert_eq!(validate(&text, vocabulary, 1, 1).is_ok(), agreed, "{text}");
        }
    }
}

/// The rules once more, on owned strings.
fn naive(text: &str, vocabulary: Vocabulary, positions: usize) -> bool {
    let entries: Vec<&str> = text.split(',').collect();
    let known = |name: &str| match vocabulary {
        Vocabulary::Types => DataType::ALL.iter().any(|t| t.name() == name.trim()),
        Vocabulary::Layouts => Format::ALL.iter().any(|f| f.name() == name.trim()),
    };
    let counts: std::collections::HashSet<usize> =
        entries.iter().filter(|e| e.contains('|')).map(|e| e.split('|').count()).collect();
    entries.iter().all(|e| !(e.contains('|') && e.contains('*')) && e.split(['|', '*']).all(known))
        && counts.len() <= 1
        && (entries.len() == positions || entries.len() == 1)
}
