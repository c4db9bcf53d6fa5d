//! Names of sources, which may hold the number of a block.

/// The name of a source's file or dataset. `%b` in it stands for the number of a block, `%%` for a percent sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceName {
    /// The name as it stands in the file.
    pub(crate) pattern: String,
    /// What stands between the numbers.
    parts: Vec<String>,
}

impl SourceName {
    /// Takes a name apart.
    pub(super) fn parse(pattern: String) -> Self {
        let mut parts = vec![String::new()];
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek()) {
                ('%', Some('b')) => {
                    chars.next();
                    parts.push(String::new());
                    continue;
                }
                ('%', Some('%')) => {
                    chars.next();
                }
                _ => {}
            }
            if let Some(part) = parts.last_mut() {
                part.push(c);
            }
        }
        Self { pattern, parts }
    }

    /// Whether the name differs from block to block.
    pub(crate) fn has_block_number(&self) -> bool {
        self.parts.len() > 1
    }

    /// The name for a block.
    pub(crate) fn of_block(&self, block: u64) -> String {
        self.parts.join(&block.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_block_numbers_in() {
        let check = |pattern: &str, expect: &str, has_number: bool| {
            let name = SourceName::parse(pattern.to_owned());
            assert_eq!((name.of_block(12), name.has_block_number()), (expect.to_owned(), has_number));
        };
        check("part.h5", "part.h5", false);
        check("f-%b.h5", "f-12.h5", true);
        check("%b/%b", "12/12", true);
        check("100%%b%b%", "100%b12%", true);
    }
}
