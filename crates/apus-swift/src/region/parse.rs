//! Shapes as text.

use super::Shape;
use crate::{Error, Length, Result};

impl Shape<Length> {
    /// Parses boxes: `xmin,xmax,ymin,ymax,zmin,zmax`, lengths such as `4` or `1500 kpc`, left empty for an open side; several with `;`.
    ///
    /// Errors: [`Error::BadRegion`] for what is no number, and for too few or too many of them.
    pub fn parse_boxes(text: &str) -> Result<Vec<Self>> {
        text.split(';').map(parse_box).collect()
    }

    /// Parses spheres: `x,y,z,radius`, lengths such as `4` or `1500 kpc`; several with `;`.
    ///
    /// Errors: [`Error::BadRegion`] for what is no number, and for too few or too many of them.
    pub fn parse_spheres(text: &str) -> Result<Vec<Self>> {
        text.split(';').map(parse_sphere).collect()
    }
}

fn parse_box(text: &str) -> Result<Shape<Length>> {
    let side = |side: &str| if side.trim().is_empty() { Ok(None) } else { length(side).map(Some) };
    let sides = text.split(',').map(side).collect::<Result<Vec<_>>>()?;
    let [x0, x1, y0, y1, z0, z1] = <[_; 6]>::try_from(sides).map_err(|sides| {
        let reason = format!(
            "a box of {} numbers, expected xmin,xmax,ymin,ymax,zmin,zmax (empty for an open side)",
            sides.len()
        );
        Error::BadRegion { reason }
    })?;
    Ok(Shape::Box([[x0, x1], [y0, y1], [z0, z1]]))
}

fn parse_sphere(text: &str) -> Result<Shape<Length>> {
    let lengths = text.split(',').map(length).collect::<Result<Vec<_>>>()?;
    let [x, y, z, radius] = <[_; 4]>::try_from(lengths).map_err(|lengths| {
        let reason = format!("a sphere of {} numbers, expected x,y,z,radius", lengths.len());
        Error::BadRegion { reason }
    })?;
    Ok(Shape::Sphere { centre: [x, y, z], radius })
}

fn length(text: &str) -> Result<Length> {
    Length::parse(text).ok_or_else(|| {
        let shown: String = text.trim().chars().take(40).collect();
        // Somebody who writes a unit without a space should learn of it.
        let hint =
            if shown.starts_with(|c: char| c.is_ascii_digit()) { ", nor a number, a space and a unit" } else { "" };
        Error::BadRegion { reason: format!("{shown:?} is no number{hint}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn boxes_and_spheres_are_taken_as_written() {
        let boxes = Shape::parse_boxes("1,2, ,,3,-4e-1; 0,1,0,1,0,1").unwrap();
        let unit = [Some(0.0), Some(1.0)];
        assert_eq!(boxes[0], Shape::Box([[Some(1.0), Some(2.0)], [None, None], [Some(3.0), Some(-0.4)]]).into());
        assert_eq!(boxes[1..], [Shape::Box([unit; 3]).into()]);
        let spheres = Shape::parse_spheres(" 1,2 ,3,0.5;4,5,6,7").unwrap();
        assert_eq!(spheres[0], Shape::Sphere { centre: [1.0, 2.0, 3.0], radius: 0.5 }.into());
        assert_eq!(spheres[1..], [Shape::Sphere { centre: [4.0, 5.0, 6.0], radius: 7.0 }.into()]);
    }

    #[test]
    fn lengths_may_say_their_units() {
        let length = |value, unit: &str, frame| Length { value, unit: Some(unit.to_owned()), frame };
        let spheres = Shape::parse_spheres("4 Mpc,4,24.5 Mpc comoving,1500 kpc physical").unwrap();
        let centre = [length(4.0, "Mpc", None), 4.0.into(), length(24.5, "Mpc", Some(Frame::Comoving))];
        assert_eq!(spheres, [Shape::Sphere { centre, radius: length(1500.0, "kpc", Some(Frame::Physical)) }]);
        let boxes = Shape::parse_boxes("0 kpc, 1 Mpc/h,,,,").unwrap();
        let sides = [Some(length(0.0, "kpc", None)), Some(length(1.0, "Mpc/h", None))];
        assert_eq!(boxes, [Shape::Box([sides, [None, None], [None, None]])]);
    }

    #[test]
    fn what_is_no_shape_is_refused_with_what_is_expected() {
        let check = |result: Result<Vec<Shape<Length>>>, expected: &str| {
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
        check(Shape::parse_spheres("1,2,3,1500kpc"), "\"1500kpc\" is no number, nor a number, a space and a unit");
        check(Shape::parse_spheres(&"µ".repeat(100)), &format!("\"{}\" is no number", "µ".repeat(40)));
    }
}
