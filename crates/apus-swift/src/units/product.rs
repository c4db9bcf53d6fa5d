//! What a unit is made of, and how it is written so that others read it.

use super::{
    Dimensions, Symbols, Unit,
    symbols::{shared_name, vo_name},
    system::{write_product, write_vo_product},
};

/// A number times powers of named units.
#[derive(Clone, Debug)]
pub(super) struct Product<'a> {
    pub(super) unit: Unit,
    number: f64,
    /// Each name once.
    powers: Vec<(&'a str, f64)>,
}

impl<'a> Product<'a> {
    pub(super) fn of_number(number: f64) -> Self {
        Self { unit: Unit { cgs: number, dimensions: Dimensions::NONE }, number, powers: Vec::new() }
    }

    /// One unit of that name; with the names of cgs where unyt or astropy does not know it.
    pub(super) fn of_name(name: &'a str, unit: Unit) -> Self {
        if let Some(name) = shared_name(name) {
            return Self { unit, number: 1.0, powers: vec![(name, 1.0)] };
        }
        let [mass, length, time, current, temperature] = unit.dimensions.powers();
        let powers = [("g", mass), ("cm", length), ("s", time), ("A", current), ("K", temperature)];
        Self { unit, number: unit.cgs, powers: powers.into_iter().filter(|(_, power)| *power != 0.0).collect() }
    }

    pub(super) fn times(mut self, other: Self) -> Self {
        self.unit = self.unit.times(other.unit);
        self.number *= other.number;
        other.powers.into_iter().for_each(|(name, power)| self.add(name, power));
        self
    }

    pub(super) fn over(mut self, other: Self) -> Self {
        self.unit = self.unit.over(other.unit);
        self.number /= other.number;
        other.powers.into_iter().for_each(|(name, power)| self.add(name, -power));
        self
    }

    pub(super) fn power(mut self, exponent: f64) -> Self {
        self.unit = self.unit.power(exponent);
        self.number = self.number.powf(exponent);
        self.powers.iter_mut().for_each(|(_, power)| *power *= exponent);
        self
    }

    fn add(&mut self, name: &'a str, power: f64) {
        match self.powers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += power,
            None => self.powers.push((name, power)),
        }
    }

    /// The unit as [`UnitSystem::unit_string`](super::UnitSystem::unit_string) writes units; `None` where its number is out of
    /// the range of numbers.
    pub(super) fn text(&self) -> Option<String> {
        let powers: Vec<_> = self.powers.iter().copied().filter(|(_, power)| power.abs() > 1e-12).collect();
        (self.number.is_finite() && self.number > 0.0).then(|| write_product(self.number, &powers))
    }

    /// The unit in the syntax of `VOUnits`; names that it lacks, or deprecates, in those of cgs.
    ///
    /// Source: IVOA `VOUnits` 1.0.
    pub(super) fn vo_text(&self, symbols: &Symbols) -> Option<String> {
        let mut product = Product { unit: self.unit, number: self.number, powers: Vec::new() };
        for &(name, power) in &self.powers {
            if let Some(name) = vo_name(name) {
                product.add(name, power);
                continue;
            }
            let (cgs, dimensions) = symbols.find(name)?;
            product.number *= cgs.powf(power);
            let [mass, length, time, current, temperature] = dimensions.powers();
            for (name, of_name) in [("g", mass), ("cm", length), ("s", time), ("A", current), ("K", temperature)] {
                product.add(name, power * of_name);
            }
        }
        let powers: Vec<_> = product.powers.iter().copied().filter(|(_, power)| power.abs() > 1e-12).collect();
        (product.number.is_finite() && product.number > 0.0).then(|| write_vo_product(product.number, &powers))
    }
}

#[cfg(test)]
mod tests {
    use crate::units::{
        Symbols,
        parse::{respell, vo_unit},
    };

    /// Expected: units that `astropy.units.Unit(text, format="vounit")` takes for the same.
    #[test]
    fn the_virtual_observatory_has_names_of_its_own() {
        let symbols = Symbols { h: Some(0.5), ..Symbols::default() };
        let check = |text: &str, expected: &str| assert_eq!(vo_unit(text, &symbols).unwrap(), expected, "{text}");
        check("1e10*Msun", "1e10solMass");
        check("1e10*Msun/Mpc**3", "1e10solMass.Mpc**-3");
        check("km/s", "km.s**-1");
        check("Msun**(2/3)", "solMass**(2/3)");
        check("g**(-1/2)", "g**(-1/2)");
        check("erg/hour", "g.cm**2.s**-2.h**-1");
        check("1000*kg", "1000kg");
        check("1/Gyr", "Gyr**-1");
        check("", "");
        check("1e3", "1000");
    }

    #[test]
    fn units_are_respelt_for_those_who_parse_them_next() {
        let symbols = Symbols { h: Some(0.5), ..Symbols::default() };
        let check = |text: &str, expected: &str| assert_eq!(respell(text, &symbols).unwrap(), expected, "{text}");
        check("kpc", "kpc");
        check("1.98e+30 kg", "1.98e30*kg");
        check("kg*1e3", "1000*kg");
        check("km s^-1", "km/s");
        check("km.s-1", "km/s");
        check("g cm-3", "g/cm**3");
        check("g/cm/cm/cm", "g/cm**3");
        check("(2 km)**2/(s*(s))", "4*km**2/s**2");
        check("M_sun**(2/3)", "Msun**(2/3)");
        check("Msun**0.66667*kpc**0.49999", "Msun**(0.66667)*kpc**(0.49999)");
        check("Mpc/h", "2*Mpc");
        check("c", "2.99792458e10*cm/s");
        check("1e3 K/dimensionless", "1000*K");
        check("Mbar", "1e12*g/(cm*s**2)");
        check("m/m", "1");
    }

    #[test]
    fn a_unit_whose_number_alone_is_out_of_range_is_refused() {
        assert!(respell("1e300*neV*1e20", &Symbols::default()).unwrap_err().to_string().contains("out of the range"));
    }
}
