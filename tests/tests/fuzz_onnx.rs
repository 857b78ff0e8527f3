//! Damaged ONNX models give a network or an error, whatever the damage.

use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{GraphProto, Message, ModelProto};
use samples as _;
use tests::Random;
use tests::onnx::{FLOAT, everything, external, int, ints, model, node, value};

fn with_samples() -> ModelProto {
    let graph = GraphProto {
        node: vec![
            node("sample::inplace_add_plugin", &["x"], &["moved"], &[int("delta", -3)]),
            node("sample::circ_pad_plugin", &["moved"], &["padded"], &[ints("pads", &[1, 2, 3, 4])]),
            node("sample::non_zero_plugin", &["padded"], &["indices", "count"], &[]),
            node("sample::circ_pad_plugin", &["w"], &["z"], &[ints("pads", &[0, 1])]),
        ],
        initializer: vec![external("w", &[4], &[("location", "w"), ("offset", "0"), ("length", "16")])],
        input: vec![value("x", FLOAT, "N,8")],
        output: vec![value("indices", tests::onnx::INT32, "M,2"), value("z", FLOAT, "5")],
        ..GraphProto::default()
    };
    model(graph)
}

/// Changes a few bytes where they are; lengths stay right.
fn overwritten(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len());
        bytes[at] = match random.below(4) {
            0 => bytes[at] ^ (1 << random.below(8)),
            1 => bytes[at].wrapping_add(1),
            2 => bytes[random.below(bytes.len())],
            _ => random.below(256) as u8,
        };
    }
    bytes
}

/// Cuts, doubles and inserts a few parts.
fn cut_and_pasted(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let len = bytes.len().max(1);
        let (at, other, n) = (random.below(len), random.below(len), random.below(16));
        let range = at.min(bytes.len())..(at + n).min(bytes.len());
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(range)),
            2 => {
                let copy = bytes[range].to_vec();
                bytes.splice(other.min(bytes.len())..other.min(bytes.len()), copy);
            }
            _ => {
                let noise: Vec<u8> = (0..n).map(|_| random.below(256) as u8).collect();
                bytes.splice(range.start..range.start, noise);
            }
        }
    }
    bytes
}

/// A well-formed message that says something else.
fn rewritten(model: &ModelProto, random: &mut Random) -> Vec<u8> {
    const NUMBERS: [i64; 10] = [0, 1, -1, 2, 7, 100, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN];
    let mut model = model.clone();
    let graph = model.graph.as_mut().unwrap();
    let values: Vec<String> = graph.node.iter().flat_map(|n| n.input.iter().chain(&n.output)).cloned().collect();
    for _ in 0..1 + random.below(3) {
        let number = NUMBERS[random.below(NUMBERS.len())];
        let name = values[random.below(values.len())].clone();
        let name = if random.below(8) == 0 { String::new() } else { name };
        let count = graph.node.len();
        let (other, node) = (random.below(count), random.below(count));
        let (attributes, nodes) = (graph.node[other].attribute.clone(), graph.node.len());
        let (functions, changed) = (&mut model.functions, &mut graph.node[node]);
        match random.below(12) {
            0 => changed.input.iter_mut().take(1).for_each(|input| *input = name.clone()),
            1 => changed.output.iter_mut().take(1).for_each(|output| *output = name.clone()),
            2 => changed.input.push(name),
            3 => changed.attribute = attributes,
            4 => changed.attribute.iter_mut().for_each(|a| a.i = a.i.map(|_| number)),
            5 => changed.attribute.iter_mut().for_each(|a| a.ints = vec![number; random.below(6)]),
            6 => changed.attribute.iter_mut().for_each(|a| a.r#type = random.below(16) as i32),
            7 => graph.node.swap(node, (node + 1) % nodes),
            8 => graph.initializer.iter_mut().for_each(|t| t.dims.iter_mut().for_each(|d| *d = number)),
            9 => graph.initializer.iter_mut().for_each(|t| t.data_type = Some(random.below(30) as i32)),
            10 => graph.input.iter_mut().for_each(|input| {
                *input = value(&input.name, FLOAT, &format!("{number},8"));
            }),
            _ => functions.iter_mut().for_each(|f| f.input.push(name.clone())),
        }
    }
    model.encode_to_vec()
}

/// As many as the variable MUTATIONS says, else 2,000.
fn mutations() -> usize {
    std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000)
}

#[test]
fn damaged_models_give_a_network_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w"), [0; 16]).unwrap();
    let models = [everything(), with_samples()];
    for model in &models {
        Network::from_onnx_bytes(&model.encode_to_vec(), Some(folder.path())).unwrap();
    }
    let mut random = Random::new(3);
    let (mut networks, mut errors) = (0, 0);
    for round in 0..mutations() {
        let model = &models[round % 2];
        let bytes = match random.below(3) {
            0 => overwritten(&model.encode_to_vec(), &mut random),
            1 => cut_and_pasted(&model.encode_to_vec(), &mut random),
            _ => rewritten(model, &mut random),
        };
        match Network::from_onnx_bytes(&bytes, Some(folder.path())) {
            Ok(network) => {
                networks += 1;
                let written = network.to_onnx().unwrap();
                let read = Network::from_onnx_bytes(&written, None);
                assert!(read.is_ok(), "round {round}: {}", read.unwrap_err());
            }
            Err(error) => {
                errors += 1;
                let message = error.to_string();
                assert!(!message.is_empty() && !message.contains(['\0', '\u{1b}', '\r']), "round {round}: {message:?}");
            }
        }
    }
    assert!(networks > mutations() / 50 && errors > mutations() / 10, "{networks} networks, {errors} errors");
    println!("{networks} networks, {errors} errors");
}
