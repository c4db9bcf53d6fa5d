//! Unions of boxes, in row-major order.

use std::ops::Range;

/// Boxes that interleave badly make a tree that is larger than their number: at most so many spans, which is far above what a
/// real mapping has.
const MAX_SPANS: usize = 4 << 20;

/// A union of boxes as a tree of spans, one level for each axis: the elements of a span are the same for all its indices.
#[derive(Debug)]
pub(super) struct BoxSet {
    nodes: Vec<Node>,
    root: usize,
    rank: usize,
    /// One more than the last index on each axis.
    ends: Vec<u64>,
}

#[derive(Debug)]
struct Node {
    spans: Vec<Span>,
    n_elements: u64,
}

#[derive(Debug)]
struct Span {
    range: Range<u64>,
    /// Elements of the node before this span.
    before: u64,
    /// Elements for one index: those of the child, or one on the last axis.
    each: u64,
    child: usize,
}

/// A box, one range for each axis.
pub(super) type Ranges = Vec<Range<u64>>;

impl BoxSet {
    /// Takes boxes of one rank, none of them empty. `None` where the union is too intricate, or too large to be counted.
    pub(super) fn new(boxes: &[Ranges]) -> Option<Self> {
        let rank = boxes.first()?.len();
        let ends = (0..rank).map(|axis| boxes.iter().map(|ranges| ranges[axis].end).max().unwrap_or(0)).collect();
        let mut set = Self { nodes: Vec::new(), root: 0, rank, ends };
        let mut left = MAX_SPANS;
        set.root = set.build(boxes.iter().collect(), 0, &mut left)?;
        Some(set)
    }

    fn build(&mut self, boxes: Vec<&Ranges>, axis: usize, left: &mut usize) -> Option<usize> {
        let mut cuts: Vec<u64> = boxes.iter().flat_map(|ranges| [ranges[axis].start, ranges[axis].end]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut by_start = boxes;
        by_start.sort_by_key(|ranges| ranges[axis].start);
        let mut node = Node { spans: Vec::new(), n_elements: 0 };
        let mut active: Vec<&Ranges> = Vec::new();
        let mut coming = by_start.into_iter().peekable();
        let mut last_active: Vec<&Ranges> = Vec::new();
        for cut in cuts.windows(2) {
            let (start, end) = (cut[0], cut[1]);
            active.retain(|ranges| ranges[axis].end > start);
            while let Some(ranges) = coming.next_if(|ranges| ranges[axis].start <= start) {
                active.push(ranges);
            }
            *left = left.checked_sub(1 + active.len())?;
            if active.is_empty() {
                last_active.clear();
                continue;
            }
            let is_last = axis + 1 == self.rank;
            let same =
                |a: &[&Ranges], b: &[&Ranges]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| std::ptr::eq(*a, *b));
            let joins = is_last || same(&active, &last_active);
            match node.spans.last_mut() {
                Some(last) if last.range.end == start && joins => {
                    last.range.end = end;
                    node.n_elements = node.n_elements.checked_add((end - start).checked_mul(last.each)?)?;
                }
                _ => {
                    let (child, each) = if is_last {
                        (0, 1)
                    } else {
                        let child = self.build(active.clone(), axis + 1, left)?;
                        (child, self.nodes[child].n_elements)
                    };
                    node.spans.push(Span { range: start..end, before: node.n_elements, each, child });
                    node.n_elements = node.n_elements.checked_add((end - start).checked_mul(each)?)?;
                }
            }
            last_active.clone_from(&active);
        }
        self.nodes.push(node);
        Some(self.nodes.len() - 1)
    }

    /// The number of elements.
    pub(super) fn n_elements(&self) -> u64 {
        self.nodes[self.root].n_elements
    }

    /// The indices on axis 0 between which all elements lie.
    pub(super) fn bounds(&self) -> Range<u64> {
        let spans = &self.nodes[self.root].spans;
        spans.first().map_or(0, |span| span.range.start)..spans.last().map_or(0, |span| span.range.end)
    }

    /// Whether all elements lie within a shape.
    pub(super) fn fits(&self, shape: &[u64]) -> bool {
        self.ends.iter().zip(shape).all(|(end, extent)| end <= extent)
    }

    /// Calls `f` with every run of elements on the line of the last axis at `prefix`: first index, ordinal, length.
    pub(super) fn runs_on(&self, prefix: &[u64], within: Range<u64>, mut f: impl FnMut(u64, u64, u64)) {
        let (mut node, mut ordinal) = (&self.nodes[self.root], 0);
        for &index in prefix {
            let after = node.spans.partition_point(|span| span.range.end <= index);
            let Some(span) = node.spans.get(after).filter(|span| span.range.start <= index) else { return };
            ordinal += span.before + (index - span.range.start) * span.each;
            node = &self.nodes[span.child];
        }
        let first = node.spans.partition_point(|span| span.range.end <= within.start);
        for span in &node.spans[first..] {
            let (lo, hi) = (span.range.start.max(within.start), span.range.end.min(within.end));
            if lo >= hi {
                return;
            }
            f(lo, ordinal + span.before + (lo - span.range.start), hi - lo);
        }
    }

    /// Calls `f` with every run of the elements with these ordinals: coordinates of the first, length.
    pub(super) fn runs_at(&self, ordinals: Range<u64>, mut f: impl FnMut(&[u64], u64)) {
        let mut next = ordinals.start;
        let mut at = vec![0; self.rank];
        while next < ordinals.end {
            let (mut node, mut rest) = (&self.nodes[self.root], next);
            let mut len = 0;
            for (axis, x) in at.iter_mut().enumerate() {
                let i = node.spans.partition_point(|span| span.before <= rest).saturating_sub(1);
                let Some(span) = node.spans.get(i) else { return };
                rest -= span.before;
                *x = span.range.start + rest / span.each;
                len = span.range.end - *x;
                rest %= span.each;
                if axis + 1 < self.rank {
                    node = &self.nodes[span.child];
                }
            }
            let len = len.min(ordinals.end - next);
            if len == 0 {
                return;
            }
            f(&at, len);
            next += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn boxes(rank: usize) -> impl Strategy<Value = Vec<Ranges>> {
        let range = (0u64..8, 1u64..5).prop_map(|(start, n)| start..start + n);
        proptest::collection::vec(proptest::collection::vec(range, rank), 1..6)
    }

    fn check(boxes: &[Ranges]) {
        let rank = boxes[0].len();
        let mut elements = BTreeSet::new();
        for ranges in boxes {
            let mut points = vec![Vec::new()];
            for range in ranges {
                points = points.into_iter().flat_map(|p| range.clone().map(move |x| [&p[..], &[x]].concat())).collect();
            }
            elements.extend(points);
        }
        let elements: Vec<Vec<u64>> = elements.into_iter().collect();
        let set = BoxSet::new(boxes).unwrap();
        assert_eq!(set.n_elements(), elements.len() as u64);
        let mut found = Vec::new();
        set.runs_at(0..set.n_elements(), |at, len| {
            for i in 0..len {
                let mut point = at.to_vec();
                *point.last_mut().unwrap() += i;
                found.push(point);
            }
        });
        assert_eq!(found, elements);
        for (ordinal, element) in elements.iter().enumerate() {
            let (x, prefix) = element.split_last().unwrap();
            let mut found = Vec::new();
            set.runs_on(prefix, *x..*x + 1, |x, ordinal, len| found.push((x, ordinal, len)));
            assert_eq!(found, [(*x, ordinal as u64, 1)]);
        }
        let on_line = |y| elements.iter().filter(|e| rank == 2 && e[0] == y).map(|e| e[1]).collect::<Vec<_>>();
        for y in 0..13 {
            let mut found = Vec::new();
            if rank == 2 {
                set.runs_on(&[y], 0..20, |x, _, len| found.extend(x..x + len));
            }
            assert_eq!(found, on_line(y));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_of_points(one in boxes(1), two in boxes(2), three in boxes(3)) {
            check(&one);
            check(&two);
            check(&three);
        }
    }
}
