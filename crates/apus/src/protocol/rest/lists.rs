//! Members of bodies that are one thing, a list of them, or text: read element by element, so that a list takes no more than its elements.

use std::fmt;

use apus_h5::check_cancelled_at;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

/// More texts than any list of them may have: fields, conditions and units have limits of their own.
const MAX_TEXTS: usize = 1 << 14;
/// More shapes than a region may have.
const MAX_SHAPES: usize = 1 << 14;

/// A text, or a list of texts.
#[derive(Debug)]
pub(super) enum Texts {
    One(String),
    List(Vec<String>),
}

/// Boxes, or text that says them.
#[derive(Debug)]
pub(super) enum Boxes {
    Text(String),
    List(Vec<[Option<f64>; 6]>),
}

/// Spheres, or text that says them.
#[derive(Debug)]
pub(super) enum Spheres {
    Text(String),
    List(Vec<[f64; 4]>),
}

/// An id, or a list of ids, or text that says them.
#[derive(Debug)]
pub(super) enum Ids {
    One(u64),
    List(Vec<u64>),
    Text(String),
}

/// Ranges of rows, or text that says them.
#[derive(Debug)]
pub(super) enum RowsBody {
    Text(String),
    Pairs(Vec<(u64, u64)>),
}

/// A column, or a list of columns, or text that says them.
#[derive(Debug)]
pub(super) enum ColumnsBody {
    One(u64),
    List(Vec<u64>),
    Text(String),
}

/// Takes the elements of a list, at most so many, with looks at whether anybody waits. Errors say what is expected.
fn read_list<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    mut elements: A,
    most: usize,
    expected: &'static str,
) -> Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    let element_error = |error: A::Error| A::Error::custom(format!("expected {expected}: {error}"));
    while let Some(element) = elements.next_element().map_err(element_error)? {
        if list.len() == most {
            return Err(A::Error::custom(format!("a list of more than {most}")));
        }
        check_cancelled_at(list.len()).map_err(A::Error::custom)?;
        list.push(element);
    }
    Ok(list)
}

/// An element of a list of shapes: a shape, or a number of the only one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element<N, S> {
    Number(N),
    Shape(S),
}

/// Takes shapes, each of `N` numbers, or the numbers of one.
fn read_shapes<'de, A, T, const N: usize>(mut elements: A, expected: &'static str) -> Result<Vec<[T; N]>, A::Error>
where
    A: SeqAccess<'de>,
    T: Deserialize<'de>,
    [T; N]: Deserialize<'de>,
{
    let (mut shapes, mut numbers) = (Vec::new(), Vec::new());
    let wrong = || A::Error::custom(format!("expected {expected}"));
    while let Some(element) = elements.next_element::<Element<T, [T; N]>>().map_err(|_| wrong())? {
        match element {
            Element::Number(number) if shapes.is_empty() && numbers.len() < N => numbers.push(number),
            Element::Shape(shape) if numbers.is_empty() && shapes.len() < MAX_SHAPES => shapes.push(shape),
            Element::Shape(_) if numbers.is_empty() => {
                return Err(A::Error::custom(format!("a list of more than {MAX_SHAPES} shapes")));
            }
            _ => return Err(wrong()),
        }
    }
    if numbers.is_empty() {
        return Ok(shapes);
    }
    Ok(vec![numbers.try_into().map_err(|_| wrong())?])
}

/// Reads a type from what JSON has for it: a text, a whole number, or a list.
macro_rules! deserialize {
    ($type:ident, $expected:literal, text: $text:expr, $(number: $number:expr,)? list: $list:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Read;

                impl<'de> Visitor<'de> for Read {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E>(self, text: &str) -> Result<$type, E> {
                        Ok($text(text.to_owned()))
                    }

                    fn visit_string<E>(self, text: String) -> Result<$type, E> {
                        Ok($text(text))
                    }

                    $(fn visit_u64<E>(self, number: u64) -> Result<$type, E> {
                        Ok($number(number))
                    })?

                    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<$type, A::Error> {
                        $list(elements, $expected)
                    }
                }

                deserializer.deserialize_any(Read)
            }
        }
    };
}

deserialize!(Texts, "a text or a list of texts", text: Texts::One, list: |elements, expected| Ok(Texts::List(read_list(elements, MAX_TEXTS, expected)?)));
deserialize!(
    Boxes,
    "a box: six numbers, or null for an open side: [xmin, xmax, ymin, ymax, zmin, zmax], or a list of boxes",
    text: Boxes::Text,
    list: |elements, expected| Ok(Boxes::List(read_shapes(elements, expected)?))
);
deserialize!(
    Spheres,
    "a sphere: four numbers: [x, y, z, radius], or a list of spheres",
    text: Spheres::Text,
    list: |elements, expected| Ok(Spheres::List(read_shapes(elements, expected)?))
);
deserialize!(
    Ids,
    "ids, which are whole numbers from 0 to 18446744073709551615",
    text: Ids::Text,
    number: Ids::One,
    list: |elements, expected| Ok(Ids::List(read_list(elements, usize::MAX, expected)?))
);
deserialize!(
    RowsBody,
    "rows \"a:b,c:d\" or [[a, b], [c, d]], whole numbers from 0 to 18446744073709551615",
    text: RowsBody::Text,
    list: |elements, expected| Ok(RowsBody::Pairs(read_list(elements, usize::MAX, expected)?))
);
deserialize!(
    ColumnsBody,
    "columns: a number, a list of numbers, or \"0,2\"",
    text: ColumnsBody::Text,
    number: ColumnsBody::One,
    list: |elements, expected| Ok(ColumnsBody::List(read_list(elements, usize::MAX, expected)?))
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_alone_and_a_list_of_shapes() {
        let boxes = |json: &str| match serde_json::from_str(json) {
            Ok(Boxes::List(list)) => Ok(list),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        };
        let one = [Some(0.0), Some(1.5), None, None, Some(2.0), Some(3.0)];
        assert_eq!(boxes("[0, 1.5, null, null, 2, 3]"), Ok(vec![one]));
        assert_eq!(boxes("[[0, 1.5, null, null, 2, 3], [0, 1.5, null, null, 2, 3]]"), Ok(vec![one, one]));
        assert_eq!(boxes("[]"), Ok(vec![]));
        for bad in ["[1, 2]", "[1, 2, 3, 4, 5, 6, 7]", "[[1, 2]]", "[1, [1, 2, 3, 4, 5, 6]]", "[\"a\"]", "7", "{}"] {
            assert!(boxes(bad).unwrap_err().contains("six numbers"), "{bad}");
        }
        assert!(serde_json::from_str::<Spheres>("[1, 2, 3, 4]").is_ok());
        assert!(serde_json::from_str::<Spheres>("[1, 2, 3, null]").is_err());
    }

    #[test]
    fn ids_are_whole_numbers() {
        assert!(matches!(serde_json::from_str("18446744073709551615"), Ok(Ids::One(u64::MAX))));
        assert!(matches!(serde_json::from_str("[1, 2]"), Ok(Ids::List(list)) if list == [1, 2]));
        for bad in ["-1", "[-1]", "[1.5]", "[[1]]", "null", "[\"1\"]"] {
            assert!(serde_json::from_str::<Ids>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_needs_a_list_of_so_many_texts() {
        let many = serde_json::to_string(&vec!["a"; MAX_TEXTS + 1]).unwrap();
        assert!(serde_json::from_str::<Texts>(&many).unwrap_err().to_string().contains("more than 16384"));
    }
}
