//! Projections: particles laid on a picture.
//!
//! A [`View`] turns positions into the picture's two axes and its depth, along an axis of the box or rotated. A [`PictureGrid`] says which
//! part of that plane the picture shows, in which pixels; it knows the periodic copies of a particle that reach it. A [`Canvas`] adds
//! splats, particles with a smoothing length or without, block by block on several threads.
//!
//! With [`Smoothing::Kernel`] a picture is that of swiftsimio 12's `project_gas` with the backend `fast`, pixel by pixel, but for its sums,
//! which are of 64-bit floats here: see [`kernel`].

mod canvas;
mod grid;
mod kernel;
mod view;

pub use canvas::Canvas;
pub use grid::PictureGrid;
pub use kernel::{KERNEL_GAMMA, Smoothing};
pub use view::View;
