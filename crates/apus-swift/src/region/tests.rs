//! Regions against brute force. Coordinates are small multiples of a power of two, so that every way to calculate is exact and
//! boundaries are hit all the time.

use proptest::prelude::*;

use super::*;

/// One unit of the integer coordinates below.
const STEP: f64 = 1.0 / 64.0;
/// The side of the box in steps; no power of two.
const SIDE: i64 = 320;

fn real(steps: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small integers")]
    let steps = steps as f64;
    steps * STEP
}

const BOX: [f64; 3] = [320.0 * STEP; 3];

fn inside_by_brute_force(x: [i64; 3], bounds: [[i64; 2]; 3]) -> bool {
    (0..3).all(|i| {
        let [lower, mut upper] = bounds[i];
        if (upper - lower).abs() > SIDE {
            return true;
        }
        if upper < lower {
            upper += SIDE;
        }
        (-5..=5).any(|k| (lower..upper).contains(&(x[i] + k * SIDE)))
    })
}

fn bound() -> impl Strategy<Value = i64> {
    -SIDE / 2..=3 * SIDE / 2
}

fn bounds() -> impl Strategy<Value = [[i64; 2]; 3]> {
    [[bound(), bound()], [bound(), bound()], [bound(), bound()]]
}

/// Positions in the box and, as lossy filters leave them, somewhat outside.
fn positions() -> impl Strategy<Value = Vec<[i64; 3]>> {
    let axis = -8..SIDE + 8;
    prop::collection::vec([axis.clone(), axis.clone(), axis], 100)
}

fn region(shape: Shape) -> Region {
    Region::new(&[shape], BOX).unwrap()
}

fn real_box(bounds: [[i64; 2]; 3]) -> Shape {
    Shape::Box(bounds.map(|axis| axis.map(|bound| Some(real(bound)))))
}

proptest! {
    // A million positions: ten thousand boxes with a hundred each.
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn boxes_hold_what_brute_force_finds(bounds in bounds(), positions in positions()) {
        let region = region(real_box(bounds));
        for x in positions {
            prop_assert_eq!(region.contains(x.map(real)), inside_by_brute_force(x, bounds), "{:?}", x);
        }
    }

    #[test]
    fn spheres_hold_what_brute_force_finds(
        centre in [bound(), bound(), bound()], radius in 0..SIDE, positions in positions(),
    ) {
        let region = region(Shape::Sphere { centre: centre.map(real), radius: real(radius) });
        for x in positions {
            let nearest: i64 = (0..3).map(|i| {
                (-5..=5).map(|k| (x[i] + k * SIDE - centre[i]).pow(2)).min().unwrap()
            }).sum();
            prop_assert_eq!(region.contains(x.map(real)), nearest <= radius * radius, "{:?}", x);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A cell is never passed over that holds a particle of the region.
    #[test]
    fn cells_with_particles_inside_are_never_passed_over(
        bounds in bounds(), centre in [bound(), bound(), bound()], radius in 0..SIDE, positions in positions(), size in 0..40i64,
    ) {
        let shapes = [real_box(bounds), Shape::Sphere { centre: centre.map(real), radius: real(radius) }];
        for region in [region(shapes[0].clone()), region(shapes[1].clone()), Region::new(&shapes, BOX).unwrap()] {
            for x in &positions {
                let (lower, upper) = (x.map(|x| real(x - size)), x.map(|x| real(x + size / 2)));
                prop_assert!(!region.contains(x.map(real)) || region.may_contain(lower, upper, 0.0));
                // Bounds that miss the stored position by no more than the allowance.
                let beside = x.map(|x| real(x + size));
                prop_assert!(!region.contains(x.map(real)) || region.may_contain(beside, beside, real(size)));
            }
        }
    }

    #[test]
    fn a_union_holds_what_one_of_its_parts_holds(a in bounds(), b in bounds(), positions in positions()) {
        let union = Region::new(&[real_box(a), real_box(b)], BOX).unwrap();
        for x in positions {
            let expected = inside_by_brute_force(x, a) || inside_by_brute_force(x, b);
            prop_assert_eq!(union.contains(x.map(real)), expected);
        }
    }
}

#[test]
fn open_sides_are_the_sides_of_the_box() {
    let upper_half = region(Shape::Box([[Some(2.5), None], [None, None], [None, Some(1.0)]]));
    assert!(upper_half.contains([4.9, 3.0, 0.5]));
    assert!(!upper_half.contains([2.4, 3.0, 0.5]));
    assert!(!upper_half.contains([4.9, 3.0, 1.0]));
    // A hair below zero is just below the upper side.
    assert!(upper_half.contains([-1e-9, 3.0, 0.5]));
    assert!(!upper_half.contains([4.9, f64::NAN, 0.5]));
}

#[test]
fn nonsense_is_refused_with_its_numbers() {
    let check = |shape: Shape, expected: &str| {
        let error = Region::new(&[shape], BOX).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let open = [None, None];
    check(Shape::Box([open, [Some(f64::NAN), None], open]), "lower bound in y is NaN");
    check(Shape::Box([open, open, [None, Some(7.6)]]), "upper bound in z is 7.6, outside -2.5 to 7.5");
    check(Shape::Box([[Some(f64::NEG_INFINITY), None], open, open]), "x is -inf");
    check(Shape::Sphere { centre: [0.0, 0.0, -2.6], radius: 1.0 }, "centre in z is -2.6");
    check(Shape::Sphere { centre: [0.0; 3], radius: -1.0 }, "radius is -1");
    check(Shape::Sphere { centre: [0.0; 3], radius: f64::NAN }, "radius is NaN");
    let many = vec![Shape::Sphere { centre: [0.0; 3], radius: 1.0 }; MAX_SHAPES + 1];
    assert!(Region::new(&many, BOX).unwrap_err().to_string().contains("1025 shapes"));
}

#[test]
fn no_shapes_are_no_restriction() {
    let everything = Region::new(&[], BOX).unwrap();
    assert!(everything.is_everything() && everything.contains([0.0; 3]) && everything.touches([0.0; 3], [1.0; 3]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_union_of_many_contains_what_one_of_them_does(
        boxes in prop::collection::vec(bounds(), 0..20),
        spheres in prop::collection::vec(([bound(), bound(), bound()], 0i64..SIDE / 6), 16..60),
        positions in positions(),
        far in prop::collection::vec([-4 * SIDE..4 * SIDE, -4 * SIDE..4 * SIDE, -4 * SIDE..4 * SIDE], 20),
    ) {
        // Small boxes: random bounds alone would cover everything.
        let boxes = boxes.into_iter().map(|axes| real_box(axes.map(|[lower, upper]| [lower, (lower + upper.rem_euclid(40)).min(3 * SIDE / 2)])));
        let spheres = spheres.into_iter().map(|(centre, radius)| Shape::Sphere { centre: centre.map(real), radius: real(radius) });
        let shapes: Vec<Shape> = boxes.chain(spheres).collect();
        let union = Region::new(&shapes, BOX).unwrap();
        prop_assert!(union.index.is_some());
        let each: Vec<Region> = shapes.into_iter().map(region).collect();
        let odd = [[f64::NAN, 1.0, 1.0], [f64::INFINITY; 3], [-0.0, 5.0, 2.5], [5.0_f64.next_down(); 3], [-5e-324; 3]];
        for position in positions.into_iter().chain(far).map(|x| x.map(real)).chain(odd) {
            prop_assert_eq!(union.contains(position), each.iter().any(|region| region.contains(position)), "{:?}", position);
        }
    }
}
