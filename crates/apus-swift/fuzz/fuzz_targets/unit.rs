//! Takes arbitrary text as a unit, alone and calibrated by files of three kinds.
//!
//! What parses must be a positive number of something, must be the same in parentheses, over one, and respelt; and its
//! dimensions, written as a unit of a file, must parse as what the file says they are.
#![no_main]

use apus_swift::{Unit, UnitContext, UnitSystem};
use libfuzzer_sys::fuzz_target;

const CGS: UnitSystem =
    UnitSystem { mass_cgs: 1.0, length_cgs: 1.0, time_cgs: 1.0, current_cgs: 1.0, temperature_cgs: 1.0 };
const COSMOLOGICAL: UnitSystem = UnitSystem {
    mass_cgs: 1.988_41e43,
    length_cgs: 3.085_677_581_49e24,
    time_cgs: 3.085_677_581_49e19,
    current_cgs: 1.0,
    temperature_cgs: 1.0,
};
const ODD: UnitSystem =
    UnitSystem { mass_cgs: 3.3e7, length_cgs: 7.1e-5, time_cgs: 11.3, current_cgs: 2.0, temperature_cgs: 1e3 };

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(unit) = Unit::parse(text) else {
        // Only a file of a cosmological run knows what h is.
        let _ = COSMOLOGICAL.parse_unit(text, Some(0.7));
        return;
    };
    assert!(unit.cgs.is_finite() && unit.cgs > 0.0);
    if !text.trim().is_empty() {
        for again in [format!("({text})"), format!("({text})/1")] {
            // The parentheses may be one too many.
            let is_deep = text.matches('(').count() >= 16;
            assert!(Unit::parse(&again).is_ok_and(|again| again == unit) || is_deep, "{again:?}");
        }
    }
    // Higher powers than any field has make numbers out of range.
    if unit.dimensions.powers().iter().any(|power| power.abs() > 4.0) {
        return;
    }
    for system in [CGS, COSMOLOGICAL, ODD] {
        let calibrated = system.parse_unit(text, Some(0.7)).expect("what parses alone does so for a file");
        assert!(calibrated.dimensions.agrees_with(unit.dimensions));
        let context = UnitContext { units: Some(system), scale_factor: 1.0, h: Some(0.7) };
        match context.respell(text).and_then(|text| system.parse_unit(&text, None)) {
            Ok(respelt) => {
                assert!(respelt.dimensions.agrees_with(unit.dimensions), "{respelt:?} of {unit:?}");
                assert!((respelt.cgs / calibrated.cgs).ln().abs() < 0.1, "{respelt:?} of {calibrated:?}");
            }
            Err(error) => assert!(error.to_string().contains("out of"), "{error}"),
        }
        let expected = system.cgs(unit.dimensions);
        if !(1e-280..1e280).contains(&expected) {
            continue;
        }
        let name = system.unit_string(unit.dimensions);
        let parsed = system.parse_unit(&name, None).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert!(parsed.dimensions.agrees_with(unit.dimensions), "{name:?}: {parsed:?} of {unit:?}");
        // A name rounds a mass or a length to five digits of a power of ten, and powers to four.
        assert!((parsed.cgs / expected).ln().abs() < 0.1, "{name:?}: {parsed:?}, {expected}");
    }
});
