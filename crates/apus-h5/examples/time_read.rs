//! Reads a dataset, whole or by ranges of rows, and tells what that took: for profiles, and for comparisons with other readers.
//!
//! `cargo run --release -p apus-h5 --example time_read -- FILE OBJECT [RANGES] [ROUNDS] [THREADS]`, where RANGES is `all` or a file with
//! `start:end` separated by commas.

#![expect(clippy::print_stdout, reason = "this is a program")]

use std::{error::Error, fs, ops::Range, time::Instant};

use apus_h5::{DecodePool, File, ReadOptions, RowRanges, Selection};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, object, further @ ..] = &arguments[..] else {
        return Err("time_read FILE OBJECT [RANGES] [ROUNDS] [THREADS]".into());
    };
    let rows = match further.first().map(String::as_str) {
        None | Some("all") => None,
        Some(path) => Some(ranges(&fs::read_to_string(path)?)?),
    };
    let n_rounds = further.get(1).map_or(Ok(3), |n| n.parse())?;
    let n_threads = further.get(2).map_or(Ok(1), |n| n.parse())?;
    let pool = DecodePool::new(n_threads)?;
    for _ in 0..n_rounds {
        let (start, cpu_start) = (Instant::now(), cpu_s()?);
        let options = ReadOptions {
            pool: pool.clone(),
            block_bytes: 1 << 20,
            work_ahead_bytes: 8 << 20,
            ..ReadOptions::default()
        };
        let dataset = File::open(file)?.dataset(object)?;
        let selection = Selection { rows: rows.clone(), inner: Vec::new() };
        let (mut size_bytes, mut sum) = (0usize, 0u64);
        for block in dataset.reader(selection, &options)? {
            let block = block?;
            size_bytes += block.bytes().len();
            sum = sum.wrapping_add(block.bytes().first().copied().map_or(0, u64::from));
        }
        let (wall_s, cpu_s) = (start.elapsed().as_secs_f64(), cpu_s()? - cpu_start);
        println!("{object} {size_bytes} bytes, wall {wall_s:.3} s, cpu {cpu_s:.2} s ({sum})");
    }
    Ok(())
}

fn ranges(text: &str) -> Result<RowRanges, Box<dyn Error>> {
    let parse = |range: &str| -> Result<Range<u64>, Box<dyn Error>> {
        let (start, end) = range.split_once(':').ok_or("a range is start:end")?;
        Ok(start.parse()?..end.parse()?)
    };
    let ranges = text.trim().split(',').map(parse).collect::<Result<_, _>>()?;
    Ok(RowRanges::new(ranges).ok_or("a range ends before it starts")?)
}

/// User and system time of this process so far, in the kernel's hundredths of a second.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no process name")?.1.split_whitespace().collect();
    let ticks = |i: usize| -> Result<f64, Box<dyn Error>> { Ok(fields.get(i).ok_or("too few fields")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
