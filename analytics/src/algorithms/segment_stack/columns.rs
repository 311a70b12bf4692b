//! From boxes of elements to stacks.

use protocol::BoundingBox;

use super::super::area::{Found, around};

/// Boxes overlap across by this share of the narrower one.
const ACROSS: f32 = 0.5;
/// Narrower ÷ wider of two that lie on each other; what stands behind looks smaller.
const LIKE_WIDTH: f32 = 0.75;
/// How far two that lie on each other may reach into each other, in heights of the lower one.
const INTO: f32 = 0.6;
/// A gap up to this is none, one up to the other hides one element.
const GAP: (f32, f32) = (0.5, 1.6);
/// Mean score from which a count is sure.
const SURE_SCORE: f32 = 0.5;
/// Highest ÷ lowest element from which a count is unsure: one box may hold two elements.
const UNEVEN: f32 = 1.7;

/// Elements on each other, the lowest first.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub(super) elements: Vec<Found>,
    /// Layers that were not seen but must be there.
    pub(super) hidden: usize,
    pub(super) bbox: BoundingBox,
    /// Mean score of the elements.
    pub(super) score: f32,
}

impl Stack {
    fn new(first: Found) -> Self {
        Self { bbox: first.bbox, score: first.score, elements: vec![first], hidden: 0 }
    }

    /// Layers that were seen.
    pub(super) fn layers(&self) -> usize {
        self.elements.len()
    }

    /// Median height of an element.
    pub(super) fn layer_height(&self) -> f32 {
        let mut heights: Vec<f32> = self.elements.iter().map(|f| f.bbox.h).collect();
        heights.sort_by(f32::total_cmp);
        heights[heights.len() / 2]
    }

    /// Whether the number of layers is what was seen.
    pub(super) fn is_sure(&self) -> bool {
        let heights = self.elements.iter().map(|f| f.bbox.h);
        let (low, high) = heights.fold((f32::INFINITY, 0.0f32), |(low, high), h| (low.min(h), high.max(h)));
        self.layers() > 1 && self.hidden == 0 && self.score >= SURE_SCORE && high <= UNEVEN * low
    }

    /// How well `upper` lies on top: the gap in heights, at most [`GAP`].1; `None` when it does not.
    fn gap_to(&self, upper: &Found) -> Option<f32> {
        let top = self.elements.last()?.bbox;
        let (a, b) = (&top, &upper.bbox);
        let across = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
        let narrow = a.w.min(b.w);
        let alike = narrow >= LIKE_WIDTH * a.w.max(b.w) && across >= ACROSS * narrow;
        let gap = (a.y - (b.y + b.h)) / a.h.min(b.h).max(1e-6);
        (alike && (-INTO..=GAP.1).contains(&gap)).then_some(gap)
    }

    fn put(&mut self, upper: Found, gap: f32) {
        self.hidden += usize::from(gap > GAP.0);
        self.bbox = around(&self.bbox, &upper.bbox);
        self.elements.push(upper);
        self.score = self.elements.iter().map(|f| f.score).sum::<f32>() / self.elements.len() as f32;
    }
}

/// Groups elements into stacks.
pub(super) fn columns(boxes: &[Found]) -> Vec<Stack> {
    let mut rising = boxes.to_vec();
    rising.sort_by(|a, b| {
        let bottom = |f: &Found| f.bbox.y + f.bbox.h;
        bottom(b).total_cmp(&bottom(a)).then(a.bbox.x.total_cmp(&b.bbox.x))
    });
    let mut stacks: Vec<Stack> = Vec::new();
    for element in rising {
        let fits = stacks.iter().enumerate().filter_map(|(i, s)| s.gap_to(&element).map(|gap| (i, gap)));
        match fits.min_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) {
            Some((index, gap)) => stacks[index].put(element, gap),
            None => stacks.push(Stack::new(element)),
        }
    }
    stacks
}

#[cfg(test)]
mod tests {
    use protocol::ClassId;

    use super::*;

    fn element(x: f32, y: f32, w: f32, h: f32) -> Found {
        Found { class: ClassId(0), score: 0.8, bbox: BoundingBox::new(x, y, w, h) }
    }

    /// Layers and hidden layers of each stack, left to right.
    fn counted(boxes: &[Found]) -> Vec<(usize, usize)> {
        let mut stacks = columns(boxes);
        stacks.sort_by(|a, b| a.bbox.x.total_cmp(&b.bbox.x));
        stacks.iter().map(|s| (s.layers(), s.hidden)).collect()
    }

    #[test]
    fn counts_layers() {
        let layer = |i: usize, x: f32| element(x, 0.8 - 0.1 * i as f32, 0.2, 0.1);
        let stack = |n: usize, x: f32| (0..n).map(|i| layer(i, x)).collect::<Vec<_>>();
        assert_eq!(counted(&[]), []);
        assert_eq!(counted(&stack(5, 0.1)), [(5, 0)]);
        assert_eq!(counted(&[stack(3, 0.1), stack(4, 0.4)].concat()), [(3, 0), (4, 0)]);
        // The third of five is hidden.
        let gap: Vec<Found> = stack(5, 0.1).into_iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, f)| f).collect();
        assert_eq!(counted(&gap), [(4, 1)]);
        // Two hidden ones in a row: nobody knows that it is one stack.
        let far = [layer(0, 0.1), layer(3, 0.1)];
        assert_eq!(counted(&far), [(1, 0), (1, 0)]);
        // What stands behind is narrower.
        let behind = [stack(3, 0.1), vec![element(0.13, 0.52, 0.12, 0.06)]].concat();
        assert_eq!(counted(&behind), [(3, 0), (1, 0)]);
        // Boxes that reach a little into each other.
        let loose: Vec<Found> = (0..4).map(|i| element(0.1, 0.8 - 0.08 * i as f32, 0.2, 0.1)).collect();
        assert_eq!(counted(&loose), [(4, 0)]);
    }
}
