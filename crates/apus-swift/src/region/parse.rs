//! Shapes as text.

use super::Shape;
use crate::{Error, Result};

impl Shape {
    /// Parses boxes: `xmin,xmax,ymin,ymax,zmin,zmax`, a number left empty for an open side; several with `;`.
    ///
    /// Errors: [`Error::BadRegion`] for what is no number, and for too few or too many of them.
    pub fn parse_boxes(text: &str) -> Result<Vec<Self>> {
        text.split(';').map(parse_box).collect()
    }

    /// Parses spheres: `x,y,z,radius`; several with `;`.
    ///
    /// Errors: [`Error::BadRegion`] for what is no number, and for too few or too many of them.
    pub fn parse_spheres(text: &str) -> Result<Vec<Self>> {
        text.split(';').map(parse_sphere).collect()
    }
}

fn parse_box(text: &str) -> Result<Shape> {
    let side = |side: &str| if side.trim().is_empty() { Ok(None) } else { number(side).map(Some) };
    let sides = text.split(',').map(side).collect::<Result<Vec<_>>>()?;
    let [x0, x1, y0, y1, z0, z1] = sides.as_slice() else {
        let reason = format!(
            "a box of {} numbers, expected xmin,xmax,ymin,ymax,zmin,zmax (empty for an open side)",
            sides.len()
        );
        return Err(Error::BadRegion { reason });
    };
    Ok(Shape::Box([[*x0, *x1], [*y0, *y1], [*z0, *z1]]))
}

fn parse_sphere(text: &str) -> Result<Shape> {
    let numbers = text.split(',').map(number).collect::<Result<Vec<_>>>()?;
    let [x, y, z, radius] = numbers.as_slice() else {
        let reason = format!("a sphere of {} numbers, expected x,y,z,radius", numbers.len());
        return Err(Error::BadRegion { reason });
    };
    Ok(Shape::Sphere { centre: [*x, *y, *z], radius: *radius })
}

fn number(text: &str) -> Result<f64> {
    text.trim().parse().map_err(|_| {
        let shown: String = text.trim().chars().take(40).collect();
        Error::BadRegion { reason: format!("{shown:?} is no number") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_spheres_are_taken_as_written() {
        let boxes = Shape::parse_boxes("1,2, ,,3,-4e-1; 0,1,0,1,0,1").unwrap();
        let unit = [Some(0.0), Some(1.0)];
        assert_eq!(boxes[0], Shape::Box([[Some(1.0), Some(2.0)], [None, None], [Some(3.0), Some(-0.4)]]));
        assert_eq!(boxes[1..], [Shape::Box([unit; 3])]);
        let spheres = Shape::parse_spheres(" 1,2 ,3,0.5;4,5,6,7").unwrap();
        assert_eq!(spheres[0], Shape::Sphere { centre: [1.0, 2.0, 3.0], radius: 0.5 });
        assert_eq!(spheres[1..], [Shape::Sphere { centre: [4.0, 5.0, 6.0], radius: 7.0 }]);
    }

    #[test]
    fn what_is_no_shape_is_refused_with_what_is_expected() {
        let check = |result: Result<Vec<Shape>>, expected: &str| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(Shape::parse_boxes(""), "1 numbers, expected xmin,xmax");
        check(Shape::parse_boxes("1,2,3,4,5"), "5 numbers, expected xmin,xmax");
        check(Shape::parse_boxes("1,2,3,4,5,6,7"), "7 numbers, expected xmin,xmax");
        check(Shape::parse_boxes("1,2,3,4,5,6;"), "1 numbers, expected xmin,xmax");
        check(Shape::parse_boxes("1,2,3,4,5,0x6"), "\"0x6\" is no number");
        check(Shape::parse_spheres("1,2,3"), "3 numbers, expected x,y,z,radius");
        check(Shape::parse_spheres("1,2,3,"), "\"\" is no number");
        check(Shape::parse_spheres(&"µ".repeat(100)), &format!("\"{}\" is no number", "µ".repeat(40)));
    }
}
