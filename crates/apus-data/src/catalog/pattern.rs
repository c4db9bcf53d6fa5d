//! Patterns of names, as a shell has them.

use std::str::FromStr;

use crate::{Error, Result};

/// Longer than a name can be.
const MAX_CHARS: usize = 512;

/// A pattern of names: `*` for any characters, `?` for one, `[0-9]` and `[!abc]` for one of, or not of, these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Any,
    One,
    This(char),
    Of { ranges: Vec<(char, char)>, is_inverted: bool },
}

impl FromStr for Pattern {
    type Err = Error;

    /// Errors: [`Error::Invalid`] for a bracket that is not closed, and for patterns that are too long.
    fn from_str(text: &str) -> Result<Self> {
        if text.chars().count() > MAX_CHARS {
            return Err(Error::invalid(format!("pattern: more than {MAX_CHARS} characters")));
        }
        let mut parts = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One,
                '[' => {
                    let (inner, after) = bracket(rest.as_str())
                        .ok_or_else(|| Error::invalid(format!("pattern={text}: a [ is not closed with ]")))?;
                    rest = after.chars();
                    set(inner)
                }
                c => Part::This(c),
            });
        }
        Ok(Self(parts))
    }
}

impl Pattern {
    /// Whether the whole name is of this pattern. In at most as many steps as the lengths of both multiplied.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut part, mut at) = (0, 0);
        // The last `*`, and where what it took ends.
        let mut any: Option<(usize, usize)> = None;
        while let Some(&c) = name.get(at) {
            match self.0.get(part) {
                Some(Part::Any) => {
                    any = Some((part, at));
                    part += 1;
                }
                Some(single) if single.is(c) => {
                    part += 1;
                    at += 1;
                }
                _ => {
                    let Some((star, end)) = any else { return false };
                    any = Some((star, end + 1));
                    (part, at) = (star + 1, end + 1);
                }
            }
        }
        self.0.get(part..).unwrap_or_default().iter().all(|part| *part == Part::Any)
    }
}

impl Part {
    fn is(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::This(this) => *this == c,
            Self::Of { ranges, is_inverted } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *is_inverted
            }
        }
    }
}

/// What stands in a bracket, and what follows it; a `]` that comes first belongs to it.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let skip = text.chars().take_while(|c| *c == '!').take(1).count();
    let first = text.get(skip..)?.chars().next()?;
    let from = skip + first.len_utf8();
    let end = from + text.get(from..)?.find(']')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn set(text: &str) -> Part {
    let (text, is_inverted) = text.strip_prefix('!').map_or((text, false), |rest| (rest, true));
    let chars: Vec<char> = text.chars().collect();
    let mut ranges = Vec::new();
    let mut rest = chars.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        rest = match after {
            ['-', last, after @ ..] => {
                ranges.push((first, *last));
                after
            }
            after => {
                ranges.push((first, first));
                after
            }
        };
    }
    Part::Of { ranges, is_inverted }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: Python's `fnmatch.fnmatchcase`.
    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("snap_*.hdf5", "snap_0023.hdf5", true),
            ("snap_*.hdf5", "snap_0023.hdf5.tmp", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "é", true),
            ("?", "", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("[0-9][!0-9]", "1a", true),
            ("[0-9][!0-9]", "11", false),
            ("[]x]", "]", true),
            ("[!]x]", "]", false),
            ("[a-]", "-", true),
            ("**a", "ba", true),
            ("A", "a", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(name), expected, "{pattern} {name}");
        }
        for unclosed in ["[", "[]", "[!]", "a[b"] {
            assert!(unclosed.parse::<Pattern>().is_err(), "{unclosed}");
        }
        assert!("a".repeat(600).parse::<Pattern>().is_err());
    }

    #[test]
    fn many_stars_end_soon() {
        let pattern: Pattern = "*a".repeat(200).parse().unwrap();
        assert!(!pattern.matches(&"a".repeat(199)));
        assert!(pattern.matches(&"a".repeat(4000)));
    }
}
