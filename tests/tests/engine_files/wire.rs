//! Protocol buffers as trees, so that one field can be changed with all lengths around it right.

use tests::Random;

#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Number(u64, u64),
    Bytes(u64, Vec<u8>),
    /// What is longer than nothing and can be read as fields.
    Message(u64, Vec<Wire>),
}

pub(crate) fn read(mut bytes: &[u8]) -> Option<Vec<Wire>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes)?;
        if key >> 3 == 0 || key >> 3 > 20 {
            return None;
        }
        fields.push(match key & 7 {
            0 => Wire::Number(key, number(&mut bytes)?),
            2 => {
                let len = usize::try_from(number(&mut bytes)?).ok()?;
                let (content, rest) = bytes.split_at_checked(len)?;
                bytes = rest;
                match read(content) {
                    Some(fields) if !fields.is_empty() => Wire::Message(key, fields),
                    _ => Wire::Bytes(key, content.to_vec()),
                }
            }
            _ => return None,
        });
    }
    Some(fields)
}

pub(crate) fn write(fields: &[Wire]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        let (key, content) = match field {
            Wire::Number(key, value) => {
                put(*key, &mut bytes);
                put(*value, &mut bytes);
                continue;
            }
            Wire::Bytes(key, content) => (key, content.clone()),
            Wire::Message(key, fields) => (key, write(fields)),
        };
        put(*key, &mut bytes);
        put(content.len() as u64, &mut bytes);
        bytes.extend(content);
    }
    bytes
}

/// Changes one field, wherever it is; `change` changes bytes.
pub(crate) fn mutate(fields: &mut Vec<Wire>, random: &mut Random, change: &dyn Fn(&mut Vec<u8>, &mut Random)) {
    let at = random.below(fields.len().max(1));
    if fields.is_empty() || random.below(12) == 0 {
        return rearrange(fields, at, random);
    }
    match &mut fields[at] {
        Wire::Number(_, value) => {
            *value = match random.below(6) {
                0 => value.wrapping_add(1),
                1 => value.wrapping_sub(1),
                2 => *value ^ 1 << random.below(64),
                3 => [0, 1, 2, 64, 1 << 20, 1 << 40, u64::MAX - 1, u64::MAX][random.below(8)],
                _ => random.below(16) as u64,
            }
        }
        Wire::Bytes(_, content) => change(content, random),
        Wire::Message(_, fields) => mutate(fields, random, change),
    }
}

fn rearrange(fields: &mut Vec<Wire>, at: usize, random: &mut Random) {
    let other = random.below(fields.len().max(1));
    match random.below(4) {
        _ if fields.is_empty() => {}
        0 => drop(fields.remove(at)),
        1 => fields.insert(other, fields[at].clone()),
        2 => fields.swap(at, other),
        _ => fields[at] = fields[other].clone(),
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn put(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
