//! Wanted rows, as many at a time as are read together.

use std::ops::Range;

use apus_swift::RowWindows;

use super::scan::Scan;
use crate::Result;

/// SWIFT's chunks have so many rows.
pub(crate) const USUAL_CHUNK_ROWS: u64 = 8192;

/// Batches of the wanted rows of a scan: about `batch_rows` each, cut where chunks are, fewer only at the end.
pub(crate) struct Batches {
    scan: Scan,
    batch_rows: u64,
    align: u64,
    /// Wanted rows whose values are still to be read.
    found: Vec<Range<u64>>,
    n_found: u64,
    /// The same, being read.
    current: Option<RowWindows>,
    is_over: bool,
}

impl Batches {
    pub(super) fn new(scan: Scan, batch_rows: u64, align: u64) -> Self {
        Self { scan, batch_rows, align, found: Vec::new(), n_found: 0, current: None, is_over: false }
    }

    /// The next rows; none yet, as a chance to notice that nobody waits; or `None` when there are no more.
    ///
    /// Errors: those of reading.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Range<u64>>>> {
        let mut has_looked = false;
        loop {
            if let Some(rows) = self.current.as_mut().and_then(Iterator::next) {
                return Ok(Some(rows));
            }
            if self.n_found >= self.batch_rows || self.n_found > 0 && self.is_over {
                let found = std::mem::take(&mut self.found);
                self.n_found = 0;
                self.current = Some(RowWindows::new(found, self.batch_rows, self.align));
            } else if self.is_over {
                return Ok(None);
            } else if has_looked {
                return Ok(Some(Vec::new()));
            } else {
                has_looked = true;
                match self.scan.next().transpose()? {
                    Some(window) => {
                        self.n_found = self.n_found.saturating_add(window.n_wanted());
                        self.found.extend(window.rows());
                    }
                    None => self.is_over = true,
                }
            }
        }
    }
}
