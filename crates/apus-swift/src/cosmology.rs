//! `/Cosmology`.

use serde::Serialize;

use crate::{Attributes, UnitSystem};

/// The cosmology of a run. Numbers that the file does not give are `None`; all attributes as they stand are in
/// [`Output::attributes`](crate::Output::attributes).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cosmology {
    /// Whether the run was cosmological; if not, the numbers mean nothing.
    pub cosmological_run: bool,
    /// The Hubble constant today. Units: one over the file's time.
    #[serde(rename = "H0_internal")]
    pub h0_internal: Option<f64>,
    /// The Hubble constant today. Units: km/s/Mpc.
    #[serde(rename = "H0_km_s_Mpc")]
    pub h0_km_s_mpc: Option<f64>,
    /// The Hubble parameter: H0 over 100 km/s/Mpc.
    pub h: Option<f64>,
    /// Matter density parameter (CDM and baryons) at redshift 0.
    #[serde(rename = "Omega_m")]
    pub omega_m: Option<f64>,
    /// Baryon density parameter.
    #[serde(rename = "Omega_b")]
    pub omega_b: Option<f64>,
    /// Cold-dark-matter density parameter.
    #[serde(rename = "Omega_cdm")]
    pub omega_cdm: Option<f64>,
    /// Dark-energy density parameter.
    #[serde(rename = "Omega_lambda")]
    pub omega_lambda: Option<f64>,
    /// Curvature density parameter.
    #[serde(rename = "Omega_k")]
    pub omega_k: Option<f64>,
    /// Radiation density parameter.
    #[serde(rename = "Omega_r")]
    pub omega_r: Option<f64>,
    /// Photon density parameter.
    #[serde(rename = "Omega_g")]
    pub omega_g: Option<f64>,
    /// Massive-neutrino density parameter at this output.
    #[serde(rename = "Omega_nu")]
    pub omega_nu: Option<f64>,
    /// Massive-neutrino density parameter at redshift 0.
    #[serde(rename = "Omega_nu_0")]
    pub omega_nu_0: Option<f64>,
    /// Ultra-relativistic density parameter.
    #[serde(rename = "Omega_ur")]
    pub omega_ur: Option<f64>,
    /// Dark-energy equation of state today.
    pub w_0: Option<f64>,
    /// Its evolution: w(a) = `w_0` + `w_a` (1 - a).
    pub w_a: Option<f64>,
    /// The equation of state at this output.
    pub w: Option<f64>,
    /// Effective number of relativistic species.
    #[serde(rename = "N_eff")]
    pub n_eff: Option<f64>,
    /// Effective number of ultra-relativistic species.
    #[serde(rename = "N_ur")]
    pub n_ur: Option<f64>,
    /// Number of massive neutrino species.
    #[serde(rename = "N_nu")]
    pub n_nu: Option<u64>,
    /// Temperature of the microwave background today. Units: K.
    #[serde(rename = "T_CMB_0_K")]
    pub t_cmb_0_k: Option<f64>,
    /// Masses of the massive neutrino species. Units: eV.
    #[serde(rename = "M_nu_eV")]
    pub m_nu_ev: Option<Vec<f64>>,
    /// Degeneracies of the massive neutrino species.
    pub deg_nu: Option<Vec<f64>>,
    /// Scale factor of the output.
    pub scale_factor: Option<f64>,
    /// Redshift of the output.
    pub redshift: Option<f64>,
    /// What `astropy.cosmology.w0waCDM` takes, as swiftsimio hands it over; `None` where the run was not cosmological or
    /// astropy cannot express its neutrinos.
    pub astropy: Option<AstropyCosmology>,
}

/// The arguments of `astropy.cosmology.w0waCDM`, as swiftsimio makes them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AstropyCosmology {
    /// Units: km/s/Mpc.
    #[serde(rename = "H0")]
    pub h0: f64,
    /// Matter density parameter.
    #[serde(rename = "Om0")]
    pub om0: f64,
    /// Dark-energy density parameter.
    #[serde(rename = "Ode0")]
    pub ode0: f64,
    /// Dark-energy equation of state today.
    pub w0: f64,
    /// Its evolution.
    pub wa: f64,
    /// Units: K. Where the file gives none, the one that the radiation density stands for.
    #[serde(rename = "Tcmb0")]
    pub tcmb0: f64,
    /// Baryon density parameter.
    #[serde(rename = "Ob0")]
    pub ob0: f64,
    /// Effective number of neutrino species.
    #[serde(rename = "Neff")]
    pub neff: f64,
    /// Neutrino masses, one for each species. Units: eV.
    pub m_nu: Vec<f64>,
}

/// A megaparsec in km.
const KM_PER_MPC: f64 = 3.085_677_581_491_367e19;
/// More neutrino species than any cosmology has.
const MAX_SPECIES: f64 = 64.0;

impl Cosmology {
    pub(crate) fn from_attributes(attributes: &Attributes, units: Option<&UnitSystem>) -> Self {
        let number = |name: &str| attributes.f64(name);
        let h0_internal = number("H0 [internal units]");
        let mut cosmology = Self {
            cosmological_run: attributes.flag("Cosmological run").unwrap_or(false),
            h0_internal,
            h0_km_s_mpc: h0_internal.zip(units).map(|(h0, units)| h0 / units.time_cgs * KM_PER_MPC),
            h: number("h"),
            omega_m: number("Omega_m"),
            omega_b: number("Omega_b"),
            omega_cdm: number("Omega_cdm"),
            omega_lambda: number("Omega_lambda"),
            omega_k: number("Omega_k"),
            omega_r: number("Omega_r"),
            omega_g: number("Omega_g"),
            omega_nu: number("Omega_nu"),
            omega_nu_0: number("Omega_nu_0"),
            omega_ur: number("Omega_ur"),
            w_0: number("w_0"),
            w_a: number("w_a"),
            w: number("w"),
            n_eff: number("N_eff"),
            n_ur: number("N_ur"),
            n_nu: attributes.u64("N_nu"),
            t_cmb_0_k: number("T_CMB_0 [K]"),
            m_nu_ev: attributes.f64s("M_nu_eV"),
            deg_nu: attributes.f64s("deg_nu"),
            scale_factor: number("Scale-factor"),
            redshift: number("Redshift"),
            astropy: None,
        };
        cosmology.astropy = cosmology.astropy_arguments();
        cosmology
    }

    fn astropy_arguments(&self) -> Option<AstropyCosmology> {
        if !self.cosmological_run {
            return None;
        }
        let h0 = self.h0_km_s_mpc?;
        // Where the file has none, swiftsimio takes these defaults.
        let neff = self.n_eff.unwrap_or(3.04);
        Some(AstropyCosmology {
            h0,
            om0: self.omega_m?,
            ode0: self.omega_lambda?,
            w0: self.w_0?,
            wa: self.w_a?,
            tcmb0: match self.t_cmb_0_k {
                Some(t) if t != 0.0 => t,
                _ => temperature_of_radiation(self.omega_r?, h0),
            },
            ob0: self.omega_b?,
            neff,
            m_nu: neutrino_masses(
                neff,
                self.n_ur.unwrap_or(3.04),
                self.m_nu_ev.as_deref().unwrap_or(&[0.0]),
                self.deg_nu.as_deref().unwrap_or(&[0.0]),
            )?,
        })
    }
}

/// The temperature of a black body of that density parameter, in K: what astropy would turn into it again.
fn temperature_of_radiation(omega_r: f64, h0_km_s_mpc: f64) -> f64 {
    // CODATA 2018, cgs: the gravitational constant, and the Stefan-Boltzmann constant times 4 over c^3.
    const G: f64 = 6.6743e-8;
    const RADIATION_DENSITY: f64 = 4.0 * 5.670_374_419e-5 / (2.997_924_58e10 * 2.997_924_58e10 * 2.997_924_58e10);
    let h0_per_s = h0_km_s_mpc / KM_PER_MPC;
    let critical_density = 3.0 * h0_per_s * h0_per_s / (8.0 * std::f64::consts::PI * G);
    (omega_r * critical_density / RADIATION_DENSITY).powf(0.25)
}

/// The neutrino masses in eV, one for each species, massless ones last; `None` where astropy cannot express them.
fn neutrino_masses(n_eff: f64, n_ur: f64, m_nu_ev: &[f64], deg_nu: &[f64]) -> Option<Vec<f64>> {
    let species = |v: f64| (0.0..MAX_SPECIES).contains(&v).then(|| v.trunc());
    if deg_nu.iter().any(|d| d.fract() != 0.0) {
        return None;
    }
    let n_massless = species(n_ur)?;
    let mut n_massive = 0.0;
    for degeneracy in deg_nu {
        n_massive += species(*degeneracy)?;
    }
    #[expect(clippy::float_cmp, reason = "whole numbers below 64")]
    if species(n_eff)? != n_massive + n_massless {
        return None;
    }
    let mut masses = Vec::new();
    let massive = m_nu_ev.iter().copied().zip(deg_nu.iter().copied());
    for (mass, n) in massive.chain([(0.0, n_massless)]) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and below 64")]
        masses.extend(std::iter::repeat_n(mass, n as usize));
    }
    Some(masses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutrinos_are_repeated_by_degeneracy() {
        assert_eq!(neutrino_masses(3.043, 2.03, &[0.06], &[1.0]), Some(vec![0.06, 0.0, 0.0]));
        assert_eq!(neutrino_masses(0.0, 0.0, &[0.0], &[0.0]), Some(vec![]));
        assert_eq!(neutrino_masses(3.04, 3.04, &[0.0], &[0.0]), Some(vec![0.0; 3]));
        assert_eq!(neutrino_masses(3.04, 2.03, &[0.06], &[1.5]), None);
        assert_eq!(neutrino_masses(3.04, 3.04, &[0.06], &[1.0]), None);
        assert_eq!(neutrino_masses(f64::NAN, 0.0, &[], &[]), None);
    }
}
