//! How much memory a model's messages would take when decoded. An empty message has two bytes in a file and hundreds in
//! memory, so a file can be made to grow a lot; real ones don't.

use super::proto::{
    AttributeProto, DimensionProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, ValueInfoProto,
};
use crate::error::{Error, Result};

/// What any model may take, and how many times its size a large one.
const ALWAYS_FINE: usize = 64 << 20;
const MOST_GROWTH: usize = 16;

/// # Errors
/// When decoding it would take much more memory than a model of its size has a use for.
pub(super) fn check(model: &[u8]) -> Result<()> {
    let most = ALWAYS_FINE.saturating_add(model.len().saturating_mul(MOST_GROWTH));
    let mut weight = 0usize;
    weigh(Part::Model, model, &mut weight);
    if weight <= most {
        return Ok(());
    }
    Err(Error::invalid(format_args!(
        "its {} bytes hold so many empty parts that it would take {weight} bytes of memory, where {most} are the most",
        model.len()
    )))
}

#[derive(Clone, Copy)]
enum Part {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Function,
    /// Nothing in it repeats.
    Leaf,
}

impl Part {
    /// What a field of it holds, and the memory that each occurrence takes where it may repeat.
    fn field(self, number: u64) -> Option<(Part, usize)> {
        Some(match (self, number) {
            (Part::Model, 7) => (Part::Graph, size_of::<GraphProto>()),
            (Part::Model, 25) => (Part::Function, size_of::<FunctionProto>()),
            (Part::Model, 8) | (Part::Function, 9) => (Part::Leaf, size_of::<OperatorSetIdProto>()),
            (Part::Graph, 1) | (Part::Function, 7) => (Part::Node, size_of::<NodeProto>()),
            (Part::Graph, 5) | (Part::Attribute, 5) => (Part::Tensor, size_of::<TensorProto>()),
            (Part::Graph, 11..=13) => (Part::ValueInfo, size_of::<ValueInfoProto>()),
            (Part::Node, 5) | (Part::Function, 11) => (Part::Attribute, size_of::<AttributeProto>()),
            (Part::Node, 1 | 2) | (Part::Function, 4..=6) => (Part::Leaf, size_of::<String>()),
            (Part::Graph, 15) | (Part::Attribute, 9) | (Part::Tensor, 6) => {
                (Part::Leaf, size_of::<super::proto::Bytes>())
            }
            (Part::Tensor, 13) => (Part::Leaf, size_of::<StringStringEntryProto>()),
            (Part::ValueInfo, 2) => (Part::Type, 0),
            (Part::Type, 1) => (Part::TensorType, 0),
            (Part::TensorType, 2) => (Part::Shape, 0),
            (Part::Shape, 1) => (Part::Leaf, size_of::<DimensionProto>()),
            _ => return None,
        })
    }
}

/// Adds what the messages in a part take. What isn't well-formed ends it: decoding will say so.
fn weigh(part: Part, mut bytes: &[u8], weight: &mut usize) {
    while let Some(tag) = varint(&mut bytes) {
        let skipped = match tag & 7 {
            0 => varint(&mut bytes).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut bytes).and_then(|len| usize::try_from(len).ok()),
            5 => Some(4),
            _ => Some(0),
        };
        let Some((content, rest)) = skipped.and_then(|len| bytes.split_at_checked(len)) else { return };
        bytes = rest;
        if let (2, Some((part, size))) = (tag & 7, part.field(tag >> 3)) {
            *weight = weight.saturating_add(size);
            if !matches!(part, Part::Leaf) {
                weigh(part, content, weight);
            }
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for position in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::proto::{Message, ModelProto};
    use super::*;

    fn model(graph: GraphProto) -> Vec<u8> {
        ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }

    #[test]
    fn every_repeated_part_weighs_what_it_takes() {
        let attributes = vec![AttributeProto { strings: vec![Default::default(); 5], ..Default::default() }; 3];
        let node = NodeProto { input: vec![String::new(); 7], attribute: attributes, ..Default::default() };
        let graph = GraphProto {
            node: vec![node; 2],
            initializer: vec![TensorProto { external_data: vec![Default::default(); 4], ..Default::default() }],
            ..Default::default()
        };
        let expected = size_of::<GraphProto>()
            + 2 * (size_of::<NodeProto>() + 7 * size_of::<String>() + 3 * size_of::<AttributeProto>())
            + 2 * 3 * 5 * size_of::<super::super::proto::Bytes>()
            + size_of::<TensorProto>()
            + 4 * size_of::<StringStringEntryProto>();
        let mut weight = 0;
        weigh(Part::Model, &model(graph), &mut weight);
        assert_eq!(weight, expected);
    }

    #[test]
    fn a_file_of_empty_parts_is_refused_and_one_of_data_is_not() {
        let empty = model(GraphProto { initializer: vec![TensorProto::default(); 400_000], ..Default::default() });
        let message = check(&empty).unwrap_err().to_string();
        assert!(message.starts_with("its 800004 bytes hold so many empty parts"), "{message}");
        let data = TensorProto { raw_data: Some(vec![0; 1 << 20].into()), ..Default::default() };
        check(&model(GraphProto { initializer: vec![data; 4], ..Default::default() })).unwrap();
        for damaged in [&empty[..empty.len() / 2], &[0xff; 30], &[0x3a], &[]] {
            check(damaged).unwrap();
        }
    }
}
