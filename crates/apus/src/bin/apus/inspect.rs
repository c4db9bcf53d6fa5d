//! `apus inspect`.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use apus_data::{encode::dtype::Dtype, values::PinnedFile};
use apus_h5::{Group, LinkTarget, Object};
use apus_swift::{Description, Field, Frame, OutputKind, ParticleGroup};
use clap::Args;

use crate::{local, terminal::print};

/// The most lines of a tree that are shown.
const MAX_TREE_LINES: usize = 2000;

/// Show the contents of a file
///
/// For SWIFT output: its kind, the run, box, units and cosmology, and every field with its type, shape, unit, frame and
/// scale-factor exponent. For any other HDF5 file: the tree of its groups and datasets.
#[derive(Args)]
#[command(after_help = "Example:\n  apus inspect snapshot_0023.hdf5")]
pub(crate) struct Inspect {
    /// The file to inspect
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show the tree of HDF5 objects for SWIFT output too
    #[arg(long)]
    tree: bool,
}

impl Inspect {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let file = local::open(&self.file)?;
        let output = file.output()?;
        let description = output.describe()?;
        let mut text = summary(&file, &description);
        if self.tree || *description.kind == OutputKind::NotSwift {
            let mut tree = Tree { text: String::new(), n_lines: 0 };
            tree.group(&file.h5().root()?, 0)?;
            let _ = write!(text, "\n{}", tree.text);
        }
        print(text.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(file: &PinnedFile, description: &Description<'_>) -> String {
    let mut text = String::new();
    let name = file.path().file_name().unwrap_or_default();
    let _ = writeln!(text, "{name}: {}, {} bytes", description.kind, file.bytes().identity.size_bytes);
    let Some(header) = description.header else { return text };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<10} {value}");
    };
    let run = [&header.run_name, &header.code, &header.snapshot_date];
    line("run", run.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", "));
    let redshift = header.redshift.map_or_else(|| "none".to_owned(), |z| format!("{z:.6}"));
    line("redshift", format!("{redshift} (scale factor {:.6})", header.scale_factor));
    let length = description.units.as_ref().and_then(|units| units.names.get("length")).map_or("", String::as_str);
    let [x, y, z] = header.box_size;
    line("box", format!("{x} x {y} x {z} {length}, comoving"));
    if let Some(units) = &description.units {
        let names: Vec<String> = units.names.iter().map(|(name, unit)| format!("{name} {unit}")).collect();
        line("units", names.join(", "));
    }
    if let Some(cosmology) = description.cosmology.filter(|cosmology| cosmology.cosmological_run) {
        let numbers = [
            ("H0", cosmology.h0_km_s_mpc),
            ("Omega_m", cosmology.omega_m),
            ("Omega_b", cosmology.omega_b),
            ("Omega_lambda", cosmology.omega_lambda),
            ("w_0", cosmology.w_0),
        ];
        let numbers = numbers.iter().filter_map(|(name, value)| Some(format!("{name} = {}", (*value)?)));
        line("cosmology", numbers.collect::<Vec<_>>().join(", "));
    }
    let files = header.n_files_per_snapshot;
    if files > 1 || header.is_virtual {
        let what = if header.is_virtual { "joins the files of a distributed output" } else { "one of several files" };
        line("files", format!("{what} ({files} in the header)"));
    }
    for group in description.groups {
        write_group(group, &mut text);
    }
    text
}

fn write_group(group: &ParticleGroup, text: &mut String) {
    let total = group.n_rows_total.filter(|total| *total != group.n_rows);
    let total = total.map(|total| format!(" of {total} in all files")).unwrap_or_default();
    let absent = if group.present { "" } else { ", not in this file" };
    let _ = writeln!(text, "\n{} (/{}): {} rows{total}{absent}", group.name, group.group, group.n_rows);
    let width = group.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in &group.fields {
        let _ = writeln!(text, "  {:<width$}  {}", field.name, describe_field(field));
    }
    for unreadable in &group.unreadable {
        let _ = writeln!(text, "  unreadable: {unreadable:?}");
    }
}

fn describe_field(field: &Field) -> String {
    let mut text = format!("{} {}", field.path, type_and_shape(&field.dtype, &field.shape));
    if let Some(unit) = &field.unit {
        let _ = write!(text, "  [{}]", if unit.name.is_empty() { "1" } else { &unit.name });
    }
    let frame = match field.frame {
        Frame::Comoving => "comoving",
        Frame::Physical => "physical",
    };
    let _ = write!(text, "  {frame}");
    if field.a_exponent != 0.0 {
        let _ = write!(text, ", a^{}", field.a_exponent);
    }
    if let Some(filter) = &field.lossy_filter {
        let _ = write!(text, "  {filter}");
    }
    if let Some(columns) = &field.named_columns {
        let _ = write!(text, "  ({})", columns.names.join(", "));
    }
    text
}

fn type_and_shape(dtype: &apus_h5::Datatype, shape: &[u64]) -> String {
    let name = match Dtype::of(dtype) {
        Some((Dtype::Plain(name), _)) => name,
        Some((Dtype::Record(fields), _)) => format!("record of {}", fields.len()),
        None => "unknown type".to_owned(),
    };
    let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("{name} ({})", shape.join(", "))
}

struct Tree {
    text: String,
    n_lines: usize,
}

impl Tree {
    fn group(&mut self, group: &Group, depth: usize) -> anyhow::Result<()> {
        for link in group.links()? {
            self.n_lines += 1;
            if self.n_lines > MAX_TREE_LINES {
                if self.n_lines == MAX_TREE_LINES + 1 {
                    self.text.push_str("...\n");
                }
                return Ok(());
            }
            let _ = write!(self.text, "{:indent$}{}", "", link.name, indent = 2 * depth);
            match &link.target {
                LinkTarget::Soft { path } => {
                    let _ = writeln!(self.text, " -> {path}");
                }
                LinkTarget::External { file, path } => {
                    let _ = writeln!(self.text, " -> {file}:{path}");
                }
                _ => self.object(group.get(&link.name), depth)?,
            }
        }
        Ok(())
    }

    fn object(&mut self, object: apus_h5::Result<Object>, depth: usize) -> anyhow::Result<()> {
        match object {
            Ok(Object::Group(group)) if depth < 64 => {
                self.text.push_str("/\n");
                self.group(&group, depth + 1)?;
            }
            Ok(Object::Dataset(dataset)) => {
                let _ = writeln!(self.text, "  {}", type_and_shape(dataset.dtype(), dataset.shape()));
            }
            Ok(_) => self.text.push('\n'),
            Err(error) => {
                let _ = writeln!(self.text, "  unreadable: {error}");
            }
        }
        Ok(())
    }
}
