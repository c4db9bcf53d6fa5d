//! From positions in the box to the plane of a picture.

use serde::Serialize;

/// Where a picture looks from: what its axes are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum View {
    /// Along an axis of the box, 0 to 2. The picture's axes are the next two: y and z along x, z and x along y, x and y along z.
    Axis(usize),
    /// Along a direction.
    Along {
        /// The rows are the picture's axes and the direction.
        rotation: [[f64; 3]; 3],
        /// What is rotated about, where it stays. Positions are those of the periodic copy that is nearest to it.
        centre: [f64; 3],
        /// The side lengths of the box.
        box_size: [f64; 3],
    },
}

impl View {
    /// Along `direction`, about `centre`. The axes are those of swiftsimio's `rotation_matrix_from_vector(direction)`. `None` for a direction
    /// that is none.
    ///
    /// Source: swiftsimio 12, `visualisation/rotation.py`.
    pub fn along(direction: [f64; 3], centre: [f64; 3], box_size: [f64; 3]) -> Option<Self> {
        let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            return None;
        }
        let [nx, ny, nz] = direction.map(|d| d / norm);
        // The cross product of z with the direction.
        let sine = (nx * nx + ny * ny).sqrt();
        let rotation = if sine <= 1e-6 {
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]
        } else {
            let (kx, ky) = (-ny / sine, nx / sine);
            let versine = 1.0 - nz;
            // Rodrigues' formula for the axis (kx, ky, 0), transposed: it turns the direction onto z.
            [
                [1.0 - versine * ky * ky, versine * kx * ky, -sine * ky],
                [versine * kx * ky, 1.0 - versine * kx * kx, sine * kx],
                [sine * ky, -sine * kx, 1.0 - versine * (kx * kx + ky * ky)],
            ]
        };
        Some(Self::Along { rotation, centre, box_size })
    }

    /// The axes of the box that the picture's axes and its depth are; `None` where it is rotated.
    pub fn axes(self) -> Option<[usize; 3]> {
        match self {
            Self::Axis(depth) => Some([(depth + 1) % 3, (depth + 2) % 3, depth % 3]),
            Self::Along { .. } => None,
        }
    }

    /// The place of a position in the plane.
    pub fn place(self, position: [f64; 3]) -> [f64; 2] {
        match self {
            Self::Axis(depth) => [position[(depth + 1) % 3], position[(depth + 2) % 3]],
            Self::Along { rotation, centre, box_size } => {
                let offset: [f64; 3] = std::array::from_fn(|i| {
                    let offset = position[i] - centre[i];
                    offset - box_size[i] * (offset / box_size[i]).round()
                });
                let turned = |row: [f64; 3]| row[0] * offset[0] + row[1] * offset[1] + row[2] * offset[2];
                [turned(rotation[0]) + centre[0], turned(rotation[1]) + centre[1]]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_cyclic() {
        let places = [0, 1, 2].map(|axis| View::Axis(axis).place([1.0, 2.0, 3.0]));
        assert_eq!(places, [[2.0, 3.0], [3.0, 1.0], [1.0, 2.0]]);
    }

    /// `rotation_matrix_from_vector` of swiftsimio 12.
    #[test]
    fn a_direction_turns_as_in_swiftsimio() {
        let check = |direction: [f64; 3], expected: [[f64; 3]; 3]| {
            let Some(View::Along { rotation, .. }) = View::along(direction, [0.0; 3], [1.0; 3]) else {
                panic!("{direction:?}")
            };
            for (found, expected) in rotation.as_flattened().iter().zip(expected.as_flattened()) {
                assert!((found - expected).abs() < 1e-14, "{direction:?}: {rotation:?}");
            }
        };
        check(
            [1.0, 2.0, 3.0],
            [
                [0.960_356_745_147_454_6, -0.079_286_509_705_090_71, -0.267_261_241_912_424_3],
                [-0.079_286_509_705_090_69, 0.841_426_980_589_818_6, -0.534_522_483_824_848_7],
                [0.267_261_241_912_424_3, 0.534_522_483_824_848_8, 0.801_783_725_737_273_2],
            ],
        );
        check([1.0, 0.0, 0.0], [[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
        check([0.0, 0.0, 5.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]);
        assert_eq!(View::along([0.0; 3], [0.0; 3], [1.0; 3]), None);
        assert_eq!(View::along([f64::NAN, 1.0, 0.0], [0.0; 3], [1.0; 3]), None);
    }
}
