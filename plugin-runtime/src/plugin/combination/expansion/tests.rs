use super::super::{AutoTuneCombination, Choices, Independent, Tactic, Together, merge};
use super::*;
use crate::tensor::{DataType::*, Format};

fn texts(combinations: &[Combination]) -> Vec<String> {
    combinations.iter().map(|c| format!("{c} {:?}", c.tactics)).collect()
}

fn expanded(combination: &AutoTuneCombination, inputs: usize, outputs: usize) -> Vec<String> {
    texts(&combination.expand(inputs, outputs).unwrap())
}

fn mistake(combination: &AutoTuneCombination, inputs: usize, outputs: usize) -> String {
    combination.expand(inputs, outputs).unwrap_err().to_string()
}

#[test]
fn together_choices_move_in_step() {
    assert_eq!(
        expanded(&AutoTuneCombination::new("FP32|FP16, INT32, INT64"), 1, 2),
        ["FP32, INT32, INT64 (LINEAR) [0]", "FP16, INT32, INT64 (LINEAR) [0]"]
    );
}

#[test]
fn one_entry_stands_for_every_position() {
    assert_eq!(
        expanded(&AutoTuneCombination::new("FP32|BF16").layouts("LINEAR|CHW4"), 2, 1),
        [
            "FP32, FP32, FP32 (LINEAR) [0]",
            "FP32:CHW4, FP32:CHW4, FP32:CHW4 [0]",
            "BF16, BF16, BF16 (LINEAR) [0]",
            "BF16:CHW4, BF16:CHW4, BF16:CHW4 [0]"
        ]
    );
    assert_eq!(
        expanded(&AutoTuneCombination::new("FP32*FP16").pos(1, "INT64"), 1, 1),
        ["FP32, INT64 (LINEAR) [0]", "FP16, INT64 (LINEAR) [0]"]
    );
}

#[test]
fn independent_choices_are_crossed() {
    assert_eq!(
        expanded(&AutoTuneCombination::new("FP32*FP16, FP32|FP16, FP32|FP16").tactics([2, 1, 2]), 2, 1),
        [
            "FP32, FP32, FP32 (LINEAR) [2, 1]",
            "FP32, FP16, FP16 (LINEAR) [2, 1]",
            "FP16, FP32, FP32 (LINEAR) [2, 1]",
            "FP16, FP16, FP16 (LINEAR) [2, 1]"
        ]
    );
}

#[test]
fn types_are_crossed_with_layouts() {
    assert_eq!(
        expanded(&AutoTuneCombination::new("FP32|FP16, FP32|FP16").layouts("LINEAR|CHW4"), 1, 1),
        ["FP32, FP32 (LINEAR) [0]", "FP32:CHW4, FP32:CHW4 [0]", "FP16, FP16 (LINEAR) [0]", "FP16:CHW4, FP16:CHW4 [0]"]
    );
    assert_eq!(
        expanded(&AutoTuneCombination::new("INT8,INT8").layouts(Format::Linear * Format::Hwc), 1, 1),
        ["INT8, INT8 (LINEAR) [0]", "INT8:LINEAR, INT8:HWC [0]", "INT8:HWC, INT8:LINEAR [0]", "INT8:HWC, INT8:HWC [0]"]
    );
}

#[test]
fn positions_and_values_say_the_same_as_a_text() {
    let text = AutoTuneCombination::new("FP32|FP16, FP32|FP16, INT32*INT64*BOOL, INT8")
        .layouts("LINEAR|HWC, LINEAR, LINEAR, LINEAR|HWC8");
    let positions = AutoTuneCombination::by_position()
        .pos(3, Bool)
        .pos([0, 1], Float32 | Float16)
        .pos(2..3, Int32 * Int64 * Bool)
        .pos_with_layouts(0, "FP32|FP16", Format::Linear | Format::Hwc)
        .pos_with_layouts(vec![3], Int8, "LINEAR|HWC8");
    assert_eq!(text.expand(2, 2).unwrap(), positions.expand(2, 2).unwrap());
    let collected = AutoTuneCombination::by_position()
        .pos(0..=1, Choices::from([Float32, Float16].into_iter().collect::<Together<_>>()))
        .pos(&[2][..], Choices::from([Int32, Int64, Bool].into_iter().collect::<Independent<_>>()))
        .pos(3, "INT8")
        .layouts("LINEAR|HWC, LINEAR, LINEAR, LINEAR|HWC8");
    assert_eq!(text.expand(2, 2).unwrap(), collected.expand(2, 2).unwrap());
    let replaced = AutoTuneCombination::new("FP32, FP32").pos(1, Int32);
    assert_eq!(expanded(&replaced, 1, 1), ["FP32, INT32 (LINEAR) [0]"]);
}

#[test]
fn what_is_listed_twice_gets_the_tactics_of_both() {
    let listed = [
        AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics([3, 1]),
        AutoTuneCombination::new("INT32, INT32"),
        AutoTuneCombination::new("FP16, FP16").tactics([1, 2]),
        AutoTuneCombination::new("FP16, FP16"),
    ];
    assert_eq!(
        texts(&merge(&listed, 1, 1).unwrap()),
        ["FP32, FP32 (LINEAR) [3, 1]", "FP16, FP16 (LINEAR) [3, 1, 2, 0]", "INT32, INT32 (LINEAR) [0]"]
    );
    assert_eq!(expanded(&AutoTuneCombination::new("FP32*FP32,FP32|FP32"), 1, 1), ["FP32, FP32 (LINEAR) [0]"]);
}

#[test]
fn tactics_may_be_an_enum() {
    #[derive(Clone, Copy)]
    enum Padding {
        Torch = 1,
        Tiled,
    }
    impl Tactic for Padding {
        fn id(self) -> i32 {
            self as i32
        }
        fn from_id(id: i32) -> Option<Self> {
            [Padding::Torch, Padding::Tiled].into_iter().find(|t| t.id() == id)
        }
        fn name(_: i32) -> Option<&'static str> {
            None
        }
    }
    let combination = AutoTuneCombination::new("FP32,FP32").tactics([Padding::Tiled, Padding::Torch]).tactics([7]);
    assert_eq!(expanded(&combination, 1, 1), ["FP32, FP32 (LINEAR) [2, 1, 7]"]);
}

#[test]
fn without_autotune_types_are_the_networks_own() {
    assert_eq!(texts(&[Combination::untuned([Float16, Int4])]), ["FP16, INT4 (LINEAR) [0]"]);
}

#[test]
fn mistakes_are_named() {
    let by_position = AutoTuneCombination::by_position;
    let two = || AutoTuneCombination::new("FP32,FP32");
    let cases = [
        (by_position().pos(0, Float32), "position 1 (output 0) has no types; add .pos(1, ..)"),
        (by_position().pos(1, Float32), "position 0 (input 0) has no types; add .pos(0, ..)"),
        (
            by_position().pos(0..usize::MAX, Float32),
            "pos(2, ..) is out of range: the plugin's inputs and outputs are positions 0 to 1",
        ),
        (
            by_position().pos([0, 1], "FP32,FP32"),
            "pos(0, \"FP32,FP32\") has a comma: it takes one entry, which applies to each of its positions",
        ),
        (
            two().tactics([1, 0]),
            "tactic 0 is listed, but tactics are positive integers; list none to get the default tactic 0",
        ),
        (
            two().tactics([-1]),
            "tactic -1 is listed, but tactics are positive integers; list none to get the default tactic 0",
        ),
        (two().tactics(1..), "a combination has more than 4096 tactics"),
        (
            by_position().pos([0, 1], Independent::from_iter([])),
            "combination `, `: entry 1 is empty; write a type there, or drop a comma",
        ),
        (
            two().layouts("LINEAR, LINEAR, HWC"),
            "layouts `LINEAR, LINEAR, HWC`: it has 3 entries; the plugin has 1 input and 1 output: write 2 layouts, the \
             inputs' first, or one for all",
        ),
    ];
    for (combination, message) in cases {
        assert_eq!(mistake(&combination, 1, 1), message);
    }
    let unequal = by_position().pos(0, Float32 | Float16).pos(1, Float32 | Float16 | BFloat16);
    assert!(mistake(&unequal, 1, 1).contains("entry 2 `FP32|FP16|BF16` has 3 choices, but entry 1 has 2"));
    assert!(merge(&[], 1, 1).unwrap_err().to_string().contains("no combination"));
}

#[test]
fn values_stand_for_every_position() {
    let values = AutoTuneCombination::new(Float32 | Float16).layouts(Format::Linear);
    let text = AutoTuneCombination::new("FP32|FP16").layouts("LINEAR");
    assert_eq!(values.expand(2, 1).unwrap(), text.expand(2, 1).unwrap());
    assert_eq!(values.expand(2, 1).unwrap().len(), 2);
}

#[test]
fn too_many_combinations_are_refused_before_they_are_made() {
    let choices = "FP32*FP16*BF16*FP8*INT64*INT32*INT8*UINT8";
    let all = |n: usize| AutoTuneCombination::new(vec![choices; n].join(","));
    assert_eq!(all(4).expand(3, 1).unwrap().len(), MAX_COMBINATIONS);
    assert!(mistake(&all(4).layouts("LINEAR*HWC"), 3, 1).contains("more than 4096 combinations"));
    assert!(mistake(&all(40), 39, 1).contains("more than 4096 combinations"));
    assert!(mistake(&AutoTuneCombination::by_position().pos(0, Float32), usize::MAX, 3).contains("are more than"));
    let once_more = [all(4), AutoTuneCombination::new("BOOL,BOOL,BOOL,BOOL")];
    assert!(merge(&once_more, 3, 1).unwrap_err().to_string().contains("more than 4096 combinations"));
}
