//! The header of an `.npy` file: a Python dictionary in text.

use std::fmt::Write as _;

use plugin_runtime::shape::MAX_RANK;
use plugin_runtime::tensor::DataType;

/// The types that are read and written, by the names numpy gives them.
const TYPES: [(&str, DataType); 7] = [
    ("<f4", DataType::Float32),
    ("<f2", DataType::Float16),
    ("<i4", DataType::Int32),
    ("<i8", DataType::Int64),
    ("|i1", DataType::Int8),
    ("|u1", DataType::UInt8),
    ("|b1", DataType::Bool),
];

/// What an array is: its type, and its extents in row-major order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) dtype: DataType,
    pub(crate) dims: Vec<i64>,
}

impl Header {
    /// Reads the dictionary, e.g. `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`.
    ///
    /// # Errors
    /// What is wrong with it, or what about it isn't supported, and what to write instead.
    pub(crate) fn parse(text: &[u8]) -> Result<Header, String> {
        let mut cursor = Cursor { rest: text };
        let (mut dtype, mut fortran, mut dims) = (None, None, None);
        cursor.expect(b'{')?;
        while !cursor.take(b'}') {
            let key = cursor.string()?;
            cursor.expect(b':')?;
            match key {
                "descr" => dtype = Some(cursor.dtype()?),
                "fortran_order" => fortran = Some(cursor.boolean()?),
                "shape" => dims = Some(cursor.shape()?),
                other => return Err(format!("its header has a key '{}' that isn't known", other.escape_debug())),
            }
            if !cursor.take(b',') {
                cursor.expect(b'}')?;
                break;
            }
        }
        cursor.end()?;
        let missing = |key: &str| format!("its header lacks '{key}'");
        let dtype = dtype.ok_or_else(|| missing("descr"))?;
        let dims = dims.ok_or_else(|| missing("shape"))?;
        if fortran.ok_or_else(|| missing("fortran_order"))? {
            return Err("it is in Fortran order (columns first); save it in C order: \
                        numpy.save(path, numpy.ascontiguousarray(x))"
                .into());
        }
        Ok(Header { dtype, dims })
    }

    /// The dictionary's text; `None` for a type that numpy lacks.
    pub(crate) fn text(&self) -> Option<String> {
        let descr = numpy_name(self.dtype)?;
        let mut shape = String::new();
        for extent in &self.dims {
            // Writing to a String can't fail.
            let _ = write!(shape, "{extent}, ");
        }
        let shape = if self.dims.len() == 1 { shape.trim_end() } else { shape.trim_end_matches(", ") };
        Some(format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"))
    }

    /// Bytes of the data, `None` above `u64::MAX`.
    pub(crate) fn data_bytes(&self) -> Option<u64> {
        let empty = self.dims.contains(&0);
        let numel = self.dims.iter().try_fold(1u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?));
        self.dtype.bytes_for(if empty { 0 } else { numel? })
    }
}

/// What numpy calls a type; `None` for one that it lacks.
pub(crate) fn numpy_name(dtype: DataType) -> Option<&'static str> {
    TYPES.iter().find(|(_, known)| *known == dtype).map(|(descr, _)| *descr)
}

/// The types that can be read, for messages.
fn supported() -> String {
    TYPES.map(|(descr, dtype)| format!("{dtype} ('{descr}')")).join(", ")
}

/// Walks over the text of a Python literal.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.unexpected(&format!("'{}'", char::from(byte))))
    }

    fn end(&mut self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("its end")),
        }
    }

    fn unexpected(&mut self, expected: &str) -> String {
        match self.peek() {
            Some(byte) => format!("its header is damaged: expected {expected}, got '{}'", byte.escape_ascii()),
            None => format!("its header is damaged: expected {expected}, but it ends there"),
        }
    }

    /// Takes what `accept` accepts.
    fn run(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|&b| !accept(b)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(length);
        self.rest = rest;
        run
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.unexpected("a string")),
        };
        self.rest = &self.rest[1..];
        let text = self.run(|b| b != quote);
        self.expect(quote)?;
        std::str::from_utf8(text).map_err(|_| "its header is damaged: a string isn't UTF-8".into())
    }

    fn boolean(&mut self) -> Result<bool, String> {
        self.peek();
        match self.run(|b| b.is_ascii_alphabetic()) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(self.unexpected("True or False")),
        }
    }

    fn dtype(&mut self) -> Result<DataType, String> {
        if matches!(self.peek(), Some(b'[' | b'(')) {
            return Err(format!("its elements are structured (several fields each); expected one of {}", supported()));
        }
        let descr = self.string()?;
        if let Some((_, dtype)) = TYPES.iter().find(|(name, _)| *name == descr) {
            return Ok(*dtype);
        }
        let little = descr.replacen('>', "<", 1);
        if let Some((_, dtype)) = TYPES.iter().find(|(name, _)| *name == little) {
            return Err(format!(
                "its {dtype} elements are big-endian ('{descr}'); save it as little-endian: x.astype('{little}')"
            ));
        }
        Err(format!(
            "its elements are of type '{}'; expected one of {}: convert it, e.g. x.astype('<f4')",
            descr.escape_debug(),
            supported()
        ))
    }

    fn shape(&mut self) -> Result<Vec<i64>, String> {
        let mut dims = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            dims.push(self.extent()?);
            if dims.len() > MAX_RANK {
                return Err(format!("its shape has more than {MAX_RANK} dimensions"));
            }
            if !self.take(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(dims)
    }

    fn extent(&mut self) -> Result<i64, String> {
        if self.peek() == Some(b'-') {
            return Err("its shape has a negative extent".into());
        }
        let digits = self.run(|b| b.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.unexpected("an extent"));
        }
        // Python 2 marked long integers so.
        self.take(b'L');
        let digits = String::from_utf8_lossy(digits);
        digits.parse().map_err(|_| format!("its shape has an extent of {digits}, more than {}", i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (_, dtype) in TYPES {
            for dims in [vec![], vec![3], vec![0], vec![2, 0, 5], vec![1, 2, 3, 4, 5, 6, 7, 8]] {
                let header = Header { dtype, dims };
                assert_eq!(Header::parse(header.text().unwrap().as_bytes()), Ok(header));
            }
        }
        assert_eq!(Header { dtype: DataType::BFloat16, dims: vec![] }.text(), None);
    }

    #[test]
    fn reads_every_way_python_may_write_it() {
        let expected = Ok(Header { dtype: DataType::Float32, dims: vec![3, 2] });
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }   \n",
            "{\"shape\":(3,2,),\"fortran_order\":False,\"descr\":\"<f4\"}",
            " { 'shape' : ( 3L , 2L ) , 'descr':'<f4','fortran_order':False } ",
        ] {
            assert_eq!(Header::parse(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(
            Header::parse(b"{'descr': '<f2', 'fortran_order': False, 'shape': (0, 9223372036854775807)}")
                .map(|h| h.data_bytes()),
            Ok(Some(0))
        );
    }

    #[test]
    fn refuses_with_the_reason() {
        let with = |descr: &str, fortran: &str, shape: &str| {
            Header::parse(format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}}}").as_bytes())
                .unwrap_err()
        };
        for (error, expected) in [
            (with("'<f4'", "True", "(2,)"), "ascontiguousarray"),
            (with("'>f2'", "False", "(2,)"), "big-endian ('>f2'); save it as little-endian: x.astype('<f2')"),
            (with("'<f8'", "False", "(2,)"), "type '<f8'; expected one of FP32 ('<f4'), FP16 ('<f2')"),
            (with("[('a', '<f4')]", "False", "(2,)"), "structured"),
            (with("'<f4'", "Maybe", "(2,)"), "expected True or False"),
            (with("'<f4'", "False", "(-2,)"), "negative"),
            (with("'<f4'", "False", "(9223372036854775808,)"), "9223372036854775808"),
            (with("'<f4'", "False", "(1,1,1,1,1,1,1,1,1)"), "more than 8 dimensions"),
            (with("'<f4'", "False", "2"), "expected '('"),
            (with("'<f4'", "False", "(2,) 'x'"), "expected '}'"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
        assert!(Header::parse(b"{'descr': '<f4', 'shape': ()}").unwrap_err().contains("lacks 'fortran_order'"));
        assert!(Header::parse(b"{'order': 1}").unwrap_err().contains("'order'"));
    }

    #[test]
    fn no_text_makes_it_panic() {
        let whole = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
        for length in 0..whole.len() {
            assert!(Header::parse(&whole[..length]).is_err());
            for byte in [0, b'\'', b'(', b'}', b',', b'9', 0xff] {
                let mut damaged = whole.to_vec();
                damaged[length] = byte;
                let _ = Header::parse(&damaged);
            }
        }
    }
}
