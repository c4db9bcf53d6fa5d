//! The parser of units: what unyt and astropy print, and what people write.

use super::{Dimensions, Symbols, product::Product, symbols::EXAMPLES};
use crate::{Error, Result};

/// A unit: what one of it is in cgs (currents in A), and its dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// One unit in cgs.
    pub cgs: f64,
    /// Its dimensions.
    pub dimensions: Dimensions,
}

/// Parentheses may nest this deep; nobody needs more.
const MAX_DEPTH: u32 = 16;

impl Unit {
    /// The unit of pure numbers.
    pub const ONE: Self = Self { cgs: 1.0, dimensions: Dimensions::NONE };

    /// Parses products, quotients and powers of named units and numbers: `Mpc`, `1e10*Msun/Mpc**3`, `km s^-1`, `g cm-3`,
    /// `Msun**(2/3)`; empty text is the unit of pure numbers. As in unyt and astropy, `a/b*c` is `(a/b)*c`.
    ///
    /// `Mpc/h` needs a file's Hubble parameter: [`UnitSystem::parse_unit`](super::UnitSystem::parse_unit).
    ///
    /// Errors: [`Error::BadUnit`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &Symbols::default())
    }

    pub(super) fn parse_with(text: &str, symbols: &Symbols) -> Result<Self> {
        parse_product(text, symbols).map(|product| product.unit)
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { cgs: self.cgs * other.cgs, dimensions: self.dimensions.times(other.dimensions) }
    }

    pub(super) fn over(self, other: Self) -> Self {
        Self { cgs: self.cgs / other.cgs, dimensions: self.dimensions.over(other.dimensions) }
    }

    pub(super) fn power(self, exponent: f64) -> Self {
        Self { cgs: self.cgs.powf(exponent), dimensions: self.dimensions.power(exponent) }
    }
}

/// The unit as text that unyt and astropy both parse, which is not so of all that is parsed here: `1e3*kg` for `1e3 kg`.
///
/// Errors: [`Error::BadUnit`].
pub(super) fn respell(text: &str, symbols: &Symbols) -> Result<String> {
    parse_product(text, symbols)?.text().ok_or_else(|| out_of_range(text))
}

/// The unit as the Virtual Observatory writes it.
///
/// Errors: [`Error::BadUnit`].
pub(super) fn vo_unit(text: &str, symbols: &Symbols) -> Result<String> {
    parse_product(text, symbols)?.vo_text(symbols).ok_or_else(|| out_of_range(text))
}

fn parse_product<'a>(text: &'a str, symbols: &Symbols) -> Result<Product<'a>> {
    let bad = |reason: String| Error::BadUnit { unit: text.to_owned(), reason };
    if text.trim().is_empty() {
        return Ok(Product::of_number(1.0));
    }
    let mut parser = Parser { text, at: 0, symbols, depth: 0, whole: true };
    let product = parser.product().map_err(bad)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(bad(format!("what is {:?} at column {}?", parser.rest(), parser.at + 1)));
    }
    if !(product.unit.cgs.is_finite() && product.unit.cgs > 0.0) {
        return Err(out_of_range(text));
    }
    Ok(product)
}

fn out_of_range(text: &str) -> Error {
    Error::BadUnit { unit: text.to_owned(), reason: "is out of the range of numbers".to_owned() }
}

/// Parses the unit that `text` starts with, as far as it goes: at the first thing that is no unit it ends. Gives the unit
/// and the bytes it took, `None` where there is none.
pub(crate) fn parse_prefix(text: &str, symbols: &Symbols) -> Option<(Unit, usize)> {
    let mut parser = Parser { text, at: 0, symbols, depth: 0, whole: false };
    let product = parser.product().ok()?;
    Some((product.unit, parser.at))
}

struct Parser<'a, 's> {
    text: &'a str,
    at: usize,
    symbols: &'s Symbols,
    depth: u32,
    /// Whether the whole text must be a unit: then numbers count as factors, and what is no unit is an error.
    whole: bool,
}

impl<'a> Parser<'a, '_> {
    fn product(&mut self) -> Result<Product<'a>, String> {
        let mut unit = self.factor()?;
        loop {
            let before = self.at;
            self.skip_space();
            let operator = self.rest().bytes().next();
            match operator {
                None | Some(b')') => {
                    self.at = before;
                    return Ok(unit);
                }
                Some(b'*' | b'.' | b'/') => self.at += 1,
                // Nothing between two names is a product as well.
                Some(_) => {}
            }
            let divide = operator == Some(b'/');
            match self.factor() {
                Ok(factor) => unit = if divide { unit.over(factor) } else { unit.times(factor) },
                Err(reason) if self.whole => return Err(reason),
                Err(_) => {
                    self.at = before;
                    return Ok(unit);
                }
            }
        }
    }

    fn factor(&mut self) -> Result<Product<'a>, String> {
        self.skip_space();
        let column = self.at + 1;
        let rest = self.rest();
        let base = match rest.bytes().next() {
            None => return Err("ends too early".to_owned()),
            Some(b'(') => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("has too many parentheses".to_owned());
                }
                self.at += 1;
                let inner = self.product()?;
                self.skip_space();
                if !self.rest().starts_with(')') {
                    return Err(format!("the parenthesis at column {column} is not closed"));
                }
                self.at += 1;
                self.depth -= 1;
                inner
            }
            Some(b'0'..=b'9') if self.whole => {
                let length = number_length(rest);
                let number: f64 = rest[..length].parse().map_err(|_| format!("no number at column {column}"))?;
                self.at += length;
                Product::of_number(number)
            }
            Some(b) if b.is_ascii_alphabetic() => {
                let length = rest.bytes().take_while(|b| b.is_ascii_alphabetic() || *b == b'_').count();
                let name = &rest[..length];
                let (cgs, dimensions) = self.symbols.find(name).ok_or_else(|| {
                    if name == "h" {
                        "h is known only for files of cosmological runs".to_owned()
                    } else {
                        format!("no unit is called {name:?}; there are {EXAMPLES}")
                    }
                })?;
                // In a longer text, a name that goes on is another name.
                if !self.whole && rest[length..].starts_with('.') {
                    return Err(String::new());
                }
                self.at += length;
                Product::of_name(name, Unit { cgs, dimensions })
            }
            Some(_) => {
                let found = rest.chars().next().unwrap_or(' ');
                return Err(format!("no unit starts with {found:?}, at column {column}"));
            }
        };
        match self.exponent()? {
            Some(exponent) => Ok(base.power(exponent)),
            None => Ok(base),
        }
    }

    /// `**2`, `^-3`, `**(2/3)`, or digits right after a name, as in `cm-3`.
    fn exponent(&mut self) -> Result<Option<f64>, String> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes {
            [b'*', b'*', ..] => self.at += 2,
            [b'^', ..] => self.at += 1,
            [b'0'..=b'9', ..] | [b'-' | b'+', b'0'..=b'9', ..] => {
                // A number's own digits were taken with it, so these follow a name or a parenthesis.
                let length = 1 + rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                let exponent = rest[..length].parse::<f64>().map_err(|e| e.to_string())?;
                self.at += length;
                return bounded(exponent).map(Some);
            }
            _ => return Ok(None),
        }
        if let Some(inner) = self.rest().strip_prefix('(') {
            let end = inner.find(')').ok_or("an exponent's parenthesis is not closed")?;
            self.at += end + 2;
            let exponent = match inner[..end].split_once('/') {
                None => inner[..end].trim().parse::<f64>().ok(),
                Some((above, below)) => {
                    (|| Some(above.trim().parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?))()
                }
            };
            return exponent.ok_or_else(|| format!("no exponent: {:?}", &inner[..end])).and_then(bounded).map(Some);
        }
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let digits = rest[sign..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let exponent =
            rest[..sign + digits].parse::<f64>().map_err(|_| format!("no exponent at column {}", self.at + 1))?;
        self.at += sign + digits;
        bounded(exponent).map(Some)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }
}

fn bounded(exponent: f64) -> Result<f64, String> {
    if exponent.abs() <= 64.0 { Ok(exponent) } else { Err(format!("the exponent {exponent} is out of range")) }
}

/// The length of the unsigned decimal number that `text` starts with: digits, a point, an exponent.
pub(crate) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if let Some(b'e' | b'E') = bytes.get(length) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(length + 1 + sign).map_or(0, |_| digits(length + 1 + sign));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very number is wanted")]
mod tests {
    use super::*;

    fn check(text: &str, cgs: f64, powers: [f64; 5]) {
        let unit = Unit::parse(text).unwrap();
        assert!((unit.cgs / cgs - 1.0).abs() < 1e-12, "{text}: {unit:?}, not {cgs}");
        assert!(unit.dimensions.agrees_with(Dimensions::from_powers(powers)), "{text}: {unit:?}");
    }

    #[test]
    fn units_of_every_spelling_parse() {
        let speed = [0.0, 1.0, -1.0, 0.0, 0.0];
        for text in
            ["km/s", "km s^-1", "km*s**-1", "km s-1", "km.s-1", " km / s ", "1e5*cm/s", "(km)/(s)", "km*(s)**-1"]
        {
            check(text, 1e5, speed);
        }
        let density = [1.0, -3.0, 0.0, 0.0, 0.0];
        for text in ["g/cm**3", "g/cm^3", "g/cm3", "g cm-3", "g cm**(-3)", "g/(cm*cm**2)", "g/cm/cm/cm"] {
            check(text, 1.0, density);
        }
        check("Gyr", 1e9 * 31_557_600.0, [0.0, 0.0, 1.0, 0.0, 0.0]);
        check("Msun**(2/3)", 1.988_409_870_698_051e33f64.powf(2.0 / 3.0), [2.0 / 3.0, 0.0, 0.0, 0.0, 0.0]);
        check("km/(s*Mpc)", 1e5 / 3.085_677_581_491_367e24, [0.0, 0.0, -1.0, 0.0, 0.0]);
        check("1/s", 1.0, [0.0, 0.0, -1.0, 0.0, 0.0]);
        check("keV", 1.602_176_634e-9, [1.0, 2.0, -2.0, 0.0, 0.0]);
        check("min", 60.0, [0.0, 0.0, 1.0, 0.0, 0.0]);
        check("1", 1.0, [0.0; 5]);
        check("", 1.0, [0.0; 5]);
        check("dimensionless", 1.0, [0.0; 5]);
    }

    #[test]
    fn the_hubble_parameter_is_the_files() {
        let symbols = Symbols { h: Some(0.5), ..Symbols::default() };
        let unit = Unit::parse_with("Mpc/h", &symbols).unwrap();
        assert_eq!(unit.cgs, 2.0 * Unit::parse("Mpc").unwrap().cgs);
        assert!(Unit::parse("Mpc/h").unwrap_err().to_string().contains("cosmological"));
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        for text in [
            "furlong",
            "km//s",
            "km/",
            "(km",
            "km)",
            "km**",
            "km**x",
            "km**(1/0)",
            "km**99",
            "5 5 !",
            "*",
            "µ",
            "1e999",
        ] {
            let error = Unit::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
        assert!(Unit::parse(&"(".repeat(10_000)).is_err());
    }

    #[test]
    fn a_unit_in_a_longer_text_ends_where_it_ends() {
        let check = |text: &str, taken: usize| {
            let found = parse_prefix(text, &Symbols::default()).map(|(_, taken)| taken);
            assert_eq!(found, (taken > 0).then_some(taken), "{text}");
        };
        check("K and x", 1);
        check("km/s and x", 4);
        check("km / s)", 6);
        check("g/cm**3 physical", 7);
        check("Mpc / velocities", 3);
        check("Msun * 2", 4);
        check("and x", 0);
        check("> 5", 0);
        check("", 0);
        check("cm-3", 4);
        check("cm - 3", 2);
    }
}
