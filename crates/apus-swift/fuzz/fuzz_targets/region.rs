//! Takes arbitrary text as boxes and as spheres in a periodic box, and asks of some positions whether they are inside.
//!
//! Shapes written as numbers again must be the same. A position inside must be held possible of every cell around it; and of
//! boxes, which only compare, it must be inside as its periodic image too.
#![no_main]

use apus_swift::{Length, Region, Shape};
use libfuzzer_sys::fuzz_target;

/// A power of two in steps of one: what is calculated with such positions is exact.
const BOX: [f64; 3] = [16.0, 8.0, 32.0];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for shapes in [Shape::parse_boxes(text), Shape::parse_spheres(text)] {
        match shapes {
            Ok(shapes) => check(&shapes),
            Err(error) => assert!(error.to_string().starts_with("region: ")),
        }
    }
});

fn check(shapes: &[Shape<Length>]) {
    assert!(!shapes.is_empty(), "even no text is one shape, or an error");
    for shape in shapes {
        let again = match shape {
            Shape::Box(_) => Shape::parse_boxes(&written(shape)),
            Shape::Sphere { .. } => Shape::parse_spheres(&written(shape)),
        };
        // Debug output, since NaN, which a region refuses, is not even equal to itself.
        assert_eq!(format!("{:?}", again.expect("numbers")), format!("[{shape:?}]"));
    }
    // Units are for a file to resolve.
    let Some(shapes) = shapes.iter().map(numbers).collect::<Option<Vec<Shape>>>() else { return };
    let Ok(region) = Region::new(&shapes, BOX) else { return };
    assert!(!region.is_everything());
    let are_boxes = shapes.iter().all(|shape| matches!(shape, Shape::Box(_)));
    for i in 0..64u8 {
        let position = [i % 4, i / 4 % 4, i / 16].map(|step| f64::from(step) / 4.0);
        let position = [0, 1, 2].map(|axis| position[axis] * BOX[axis]);
        let inside = region.contains(position);
        let image = [position[0] + BOX[0], position[1], position[2] - BOX[2]];
        assert!(!are_boxes || region.contains(image) == inside, "{position:?} and its image {image:?}");
        let (lower, upper) = (position.map(|x| x - 1.0), position.map(|x| x + 1.0));
        assert!(!inside || region.may_contain(position, position, 0.0), "{position:?} would be passed over");
        assert!(!inside || region.may_contain(lower, upper, 0.0), "the cell around {position:?} would be passed over");
        assert!(!inside || region.touches(lower, upper), "the cell around {position:?} is not touched");
    }
    assert!(!region.contains([f64::NAN; 3]), "what is no number is somewhere");
}

/// The shape where all its lengths are plain numbers.
fn numbers(shape: &Shape<Length>) -> Option<Shape> {
    let number = |length: &Length| (length.unit.is_none() && length.frame.is_none()).then_some(length.value);
    Some(match shape {
        Shape::Box(bounds) => {
            let mut sides = [[None; 2]; 3];
            for (to, from) in sides.iter_mut().flatten().zip(bounds.iter().flatten()) {
                *to = match from {
                    Some(length) => Some(number(length)?),
                    None => None,
                };
            }
            Shape::Box(sides)
        }
        Shape::Sphere { centre: [x, y, z], radius } => {
            Shape::Sphere { centre: [number(x)?, number(y)?, number(z)?], radius: number(radius)? }
        }
    })
}

fn written(shape: &Shape<Length>) -> String {
    let side = |side: &Option<Length>| side.as_ref().map_or_else(String::new, Length::to_string);
    match shape {
        Shape::Box(bounds) => bounds.iter().flatten().map(side).collect::<Vec<_>>().join(","),
        Shape::Sphere { centre: [x, y, z], radius } => format!("{x},{y},{z},{radius}"),
    }
}
