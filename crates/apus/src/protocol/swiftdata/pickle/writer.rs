//! Writes pickles, opcode by opcode.
//!
//! Protocol 5 without frames (they are optional). Classes and functions go by reference, so that a pickle holds no code; strings,
//! references and objects that are used again are remembered and fetched from the memo, as Python's own pickler does, so that what
//! is one object in the writer's mind is one object after loading.
//!
//! Source: Python's `pickletools`, which documents each opcode.

use std::collections::HashMap;

/// A origin in the memo: something that was written and can be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memo(u32);

/// Writes one pickle.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    n_memos: u32,
    strings: HashMap<String, Memo>,
    globals: HashMap<(&'static str, &'static str), Memo>,
}

impl Writer {
    /// Begins a pickle.
    pub(super) fn new() -> Self {
        Self { bytes: vec![0x80, 5], ..Self::default() }
    }

    /// Ends the pickle: the one value that was written is what it holds.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'.');
        self.bytes
    }

    /// Fetches what was remembered.
    pub(super) fn get(&mut self, Memo(index): Memo) {
        match u8::try_from(index) {
            Ok(short) => self.bytes.extend([b'h', short]),
            Err(_) => self.operand(b'j', &index.to_le_bytes()),
        }
    }

    /// `None`.
    pub(super) fn none(&mut self) {
        self.bytes.push(b'N');
    }

    /// A `bool`.
    pub(super) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { 0x88 } else { 0x89 });
    }

    /// An `int`.
    pub(super) fn int(&mut self, value: i128) {
        if let Ok(short) = i32::try_from(value) {
            return self.operand(b'J', &short.to_le_bytes());
        }
        let bytes = value.to_le_bytes();
        let sign = if value < 0 { 0xff } else { 0 };
        // The shortest two's complement that keeps the sign.
        let mut len = bytes.len();
        while len > 1 && bytes[len - 1] == sign && (bytes[len - 2] ^ sign) & 0x80 == 0 {
            len -= 1;
        }
        self.bytes.extend([0x8a, u8::try_from(len).unwrap_or(u8::MAX)]);
        self.bytes.extend(&bytes[..len]);
    }

    /// A `float`.
    pub(super) fn float(&mut self, value: f64) {
        self.operand(b'G', &value.to_be_bytes());
    }

    /// A `str`.
    pub(super) fn str(&mut self, text: &str) {
        if let Some(&memo) = self.strings.get(text) {
            return self.get(memo);
        }
        match u8::try_from(text.len()) {
            Ok(len) => self.bytes.extend([0x8c, len]),
            Err(_) => self.operand(0x8d, &length(text.len())),
        }
        self.bytes.extend(text.as_bytes());
        let memo = self.memoize();
        self.strings.insert(text.to_owned(), memo);
    }

    /// A `bytes`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(len) => self.bytes.extend([b'C', len]),
            Err(_) => self.operand(0x8e, &length(bytes.len())),
        }
        self.bytes.extend(bytes);
    }

    /// A `bytearray`: arrays over one can be written to after loading.
    pub(super) fn bytearray(&mut self, bytes: &[u8]) {
        self.operand(0x96, &length(bytes.len()));
        self.bytes.extend(bytes);
    }

    /// A `tuple` of what `items` writes.
    pub(super) fn tuple<R>(&mut self, items: impl FnOnce(&mut Self) -> R) -> R {
        self.bytes.push(b'(');
        let result = items(self);
        self.bytes.push(b't');
        result
    }

    /// A `list` of what `items` writes; gives what `items` gives.
    pub(super) fn list<R>(&mut self, items: impl FnOnce(&mut Self) -> R) -> R {
        self.bytes.push(b']');
        self.memoize();
        self.bytes.push(b'(');
        let result = items(self);
        self.bytes.push(b'e');
        result
    }

    /// A `list` of `str`.
    pub(super) fn strings(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        self.list(|w| texts.into_iter().for_each(|text| w.str(text.as_ref())));
    }

    /// A `dict` of what `items` writes: keys and values in turn. Gives its origin, and what `items` gives.
    pub(super) fn dict<R>(&mut self, items: impl FnOnce(&mut Self) -> R) -> (Memo, R) {
        self.bytes.push(b'}');
        let memo = self.memoize();
        self.bytes.push(b'(');
        let result = items(self);
        self.bytes.push(b'u');
        (memo, result)
    }

    /// A class or function by reference.
    pub(super) fn global(&mut self, module: &'static str, name: &'static str) {
        if let Some(&memo) = self.globals.get(&(module, name)) {
            return self.get(memo);
        }
        self.str(module);
        self.str(name);
        self.bytes.push(0x93);
        let memo = self.memoize();
        self.globals.insert((module, name), memo);
    }

    /// What `module.name` gives for the arguments that `args` writes. Gives its origin, and what `args` gives.
    pub(super) fn call<R>(
        &mut self,
        module: &'static str,
        name: &'static str,
        args: impl FnOnce(&mut Self) -> R,
    ) -> (Memo, R) {
        self.global(module, name);
        let result = self.tuple(args);
        self.bytes.push(b'R');
        (self.memoize(), result)
    }

    /// An object of the class `module.name` whose attributes are what `state` writes, names and values in turn. The object can be
    /// fetched while its attributes are written: `state` is given its origin. Gives what `state` gives.
    pub(super) fn object<R>(
        &mut self,
        module: &'static str,
        name: &'static str,
        state: impl FnOnce(&mut Self, Memo) -> R,
    ) -> R {
        self.global(module, name);
        self.bytes.extend([b')', 0x81]);
        let memo = self.memoize();
        let (_, result) = self.dict(|w| state(w, memo));
        self.bytes.push(b'b');
        result
    }

    fn memoize(&mut self) -> Memo {
        self.bytes.push(0x94);
        let memo = Memo(self.n_memos);
        self.n_memos = self.n_memos.saturating_add(1);
        memo
    }

    fn operand(&mut self, opcode: u8, operand: &[u8]) {
        self.bytes.push(opcode);
        self.bytes.extend(operand);
    }
}

fn length(len: usize) -> [u8; 8] {
    u64::try_from(len).unwrap_or(u64::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.finish()
    }

    /// Each with what Python 3.11 loads it as: `pickle.loads(bytes)`.
    #[test]
    fn integers_take_the_fewest_bytes() {
        let check = |value: i128, expect: &[u8]| {
            let bytes = written(|w| w.int(value));
            assert_eq!(&bytes[2..bytes.len() - 1], expect, "{value}");
        };
        check(-1, b"J\xff\xff\xff\xff");
        check(2_147_483_648, b"\x8a\x05\x00\x00\x00\x80\x00");
        check(-2_147_483_649, b"\x8a\x05\xff\xff\xff\x7f\xff");
        check(i128::from(u64::MAX), b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00");
        check(i128::from(i64::MIN), b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80");
    }

    #[test]
    fn what_is_used_again_is_fetched() {
        let bytes = written(|w| {
            w.strings(["ab", "ab"]);
        });
        assert_eq!(bytes, b"\x80\x05]\x94(\x8c\x02ab\x94h\x01e.");
    }
}
