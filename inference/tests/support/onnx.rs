//! Writes ONNX files (protocol buffers) by hand: enough for networks of one node.

pub const FLOAT: u8 = 1;
pub const UINT8: u8 = 2;
pub const INT64: u8 = 7;

/// A named tensor; -1 is a free dimension.
pub struct Tensor(pub &'static str, pub u8, pub &'static [i64]);

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(field: u8, value: u64) -> Vec<u8> {
    let mut out = vec![field << 3];
    varint(value, &mut out);
    out
}

fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    varint(content.len() as u64, &mut out);
    out.extend_from_slice(content);
    out
}

fn value_info(field: u8, Tensor(name, element, dims): &Tensor) -> Vec<u8> {
    let shape: Vec<u8> = dims
        .iter()
        .map(|&dim| bytes(1, &if dim < 0 { bytes(2, b"N") } else { number(1, dim as u64) }))
        .collect::<Vec<_>>()
        .concat();
    let tensor = [number(1, u64::from(*element)), bytes(2, &shape)].concat();
    bytes(field, &[bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat())
}

/// A network of one node that takes `inputs` and gives `outputs`.
pub fn model(operator: &str, inputs: &[Tensor], outputs: &[Tensor]) -> Vec<u8> {
    model_with(operator, inputs, outputs, &[])
}

/// As [`model`], with a constant list of integers as the node's last input.
pub fn model_with(operator: &str, inputs: &[Tensor], outputs: &[Tensor], constant: &[i64]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|t| bytes(1, t.0.as_bytes())).collect();
    let mut graph = vec![];
    if !constant.is_empty() {
        node.extend(bytes(1, b"constant"));
        let raw: Vec<u8> = constant.iter().flat_map(|v| v.to_le_bytes()).collect();
        let dims = number(1, constant.len() as u64);
        graph = bytes(5, &[dims, number(2, u64::from(INT64)), bytes(8, b"constant"), bytes(9, &raw)].concat());
    }
    node.extend(outputs.iter().flat_map(|t| bytes(2, t.0.as_bytes())));
    node.extend(bytes(4, operator.as_bytes()));
    graph.extend(bytes(1, &node));
    graph.extend(bytes(2, b"graph"));
    graph.extend(inputs.iter().flat_map(|t| value_info(11, t)));
    graph.extend(outputs.iter().flat_map(|t| value_info(12, t)));
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 13))].concat()
}

/// A network of several nodes, each an operator with the names of its inputs and outputs, and of constant lists of
/// integers.
pub fn model_of(
    nodes: &[(&str, &[&str], &str)],
    constants: &[(&str, &[i64])],
    inputs: &[Tensor],
    outputs: &[Tensor],
) -> Vec<u8> {
    let mut graph = vec![];
    for (name, values) in constants {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let dims = number(1, values.len() as u64);
        let tensor = [dims, number(2, u64::from(INT64)), bytes(8, name.as_bytes()), bytes(9, &raw)];
        graph.extend(bytes(5, &tensor.concat()));
    }
    for (operator, inputs, output) in nodes {
        let mut node: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name.as_bytes())).collect();
        node.extend(bytes(2, output.as_bytes()));
        node.extend(bytes(4, operator.as_bytes()));
        graph.extend(bytes(1, &node));
    }
    graph.extend(bytes(2, b"graph"));
    graph.extend(inputs.iter().flat_map(|t| value_info(11, t)));
    graph.extend(outputs.iter().flat_map(|t| value_info(12, t)));
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 13))].concat()
}

/// `images + weights`, with the weights in another file.
pub fn model_with_external_weights(file: &str) -> Vec<u8> {
    let entry = |key: &str, value: &str| bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat());
    let weights = [
        number(1, 64),
        number(2, u64::from(FLOAT)),
        bytes(8, b"weights"),
        entry("location", file),
        entry("offset", "0"),
        entry("length", "256"),
        number(14, 1),
    ];
    let node = [bytes(1, b"images"), bytes(1, b"weights"), bytes(2, b"output"), bytes(4, b"Add")].concat();
    let graph = [
        bytes(5, &weights.concat()),
        bytes(1, &node),
        bytes(2, b"graph"),
        value_info(11, &Tensor("images", FLOAT, &[-1, 3, 64, 64])),
        value_info(12, &Tensor("output", FLOAT, &[-1, 3, 64, 64])),
    ];
    [number(1, 8), bytes(7, &graph.concat()), bytes(8, &number(2, 13))].concat()
}
