//! Draws on NV12 pictures: lines, boxes and small letters. Plain, and with nothing to install.

use protocol::{BoundingBox, Point};

use super::font;

/// A colour in YUV, limited range.
pub(super) type Colour = [u8; 3];

pub(super) const GREEN: Colour = [145, 54, 34];
pub(super) const RED: Colour = [81, 90, 240];
pub(super) const ORANGE: Colour = [150, 44, 170];
pub(super) const YELLOW: Colour = [210, 16, 146];
pub(super) const BLUE: Colour = [110, 190, 90];
const BLACK: Colour = [16, 128, 128];

/// A size or place as it is counted with.
fn signed(pixels: usize) -> i64 {
    i64::try_from(pixels).unwrap_or(i64::MAX)
}

/// A picture to draw on: luma, then interleaved chroma, without padding.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

impl Canvas {
    /// Takes pixels; `None` when they are too few for the size.
    pub(super) fn new((width, height): (u32, u32), data: Vec<u8>) -> Option<Self> {
        let (width, height) = (width as usize, height as usize);
        let needed = width * height + width.div_ceil(2) * 2 * height.div_ceil(2);
        (width > 0 && height > 0 && data.len() >= needed).then_some(Self { width, height, data })
    }

    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// Pixels that a stroke is wide: more on larger pictures.
    fn pen(&self) -> i64 {
        (signed(self.height) / 360).clamp(1, 6)
    }

    fn dot(&mut self, x: i64, y: i64, [luma, u, v]: Colour) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        self.data[y * self.width + x] = luma;
        let chroma = self.width * self.height + y / 2 * self.width.div_ceil(2) * 2 + x / 2 * 2;
        self.data[chroma] = u;
        self.data[chroma + 1] = v;
    }

    fn fill(&mut self, x: i64, y: i64, width: i64, height: i64, colour: Colour) {
        let (x_end, y_end) = ((x + width).min(signed(self.width)), (y + height).min(signed(self.height)));
        for y in y.max(0)..y_end {
            for x in x.max(0)..x_end {
                self.dot(x, y, colour);
            }
        }
    }

    fn pixel(&self, point: Point) -> (i64, i64) {
        ((point.x * self.width as f32) as i64, (point.y * self.height as f32) as i64)
    }

    /// A straight stroke between two points of the picture.
    pub(super) fn stroke(&mut self, from: Point, to: Point, colour: Colour) {
        let ((x0, y0), (x1, y1)) = (self.pixel(from), self.pixel(to));
        let (pen, steps) = (self.pen(), (x1 - x0).abs().max((y1 - y0).abs()).clamp(1, 20_000));
        for i in 0..=steps {
            self.fill(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps, pen, pen, colour);
        }
    }

    /// The outline of a polygon.
    pub(super) fn outline(&mut self, corners: &[Point], colour: Colour) {
        for (i, corner) in corners.iter().enumerate() {
            self.stroke(*corner, corners[(i + 1) % corners.len()], colour);
        }
    }

    /// The frame of a box, `bold` for one that matters.
    pub(super) fn frame(&mut self, bbox: &BoundingBox, colour: Colour, bold: bool) {
        let (left, top) = self.pixel(Point::new(bbox.x, bbox.y));
        let (right, bottom) = self.pixel(Point::new(bbox.x + bbox.w, bbox.y + bbox.h));
        let pen = self.pen() * if bold { 2 } else { 1 };
        self.fill(left, top, right - left, pen, colour);
        self.fill(left, bottom - pen, right - left, pen, colour);
        self.fill(left, top, pen, bottom - top, colour);
        self.fill(right - pen, top, pen, bottom - top, colour);
    }

    /// Words above a point, on a ground of their colour. Letters without a shape leave a gap.
    pub(super) fn words(&mut self, at: Point, words: &str, colour: Colour) {
        let (left, bottom) = self.pixel(at);
        self.words_at(left, bottom - self.line_height(), words, colour);
    }

    /// Words in the line `line` from the top of the picture.
    pub(super) fn caption(&mut self, line: usize, words: &str, colour: Colour) {
        let step = self.line_height() + 2;
        self.words_at(4, 4 + signed(line) * step, words, colour);
    }

    fn line_height(&self) -> i64 {
        (signed(font::HEIGHT) + 2) * self.pen()
    }

    fn words_at(&mut self, left: i64, top: i64, words: &str, colour: Colour) {
        let (pen, top) = (self.pen(), top.max(0));
        let count = signed(words.chars().count().min(80));
        self.fill(left, top, count * (signed(font::WIDTH) + 1) * pen + pen, self.line_height(), colour);
        for (i, letter) in words.chars().take(80).enumerate() {
            let x = left + pen + signed(i) * (signed(font::WIDTH) + 1) * pen;
            for (row, bits) in font::shape(letter).into_iter().enumerate() {
                for column in 0..font::WIDTH {
                    if bits >> (font::WIDTH - 1 - column) & 1 == 1 {
                        self.fill(x + signed(column) * pen, top + pen + signed(row) * pen, pen, pen, BLACK);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_words_are_where_they_should_be_and_nothing_leaves_the_picture() {
        let grey = vec![128; 101 * 75 + 102 * 38];
        let mut canvas = Canvas::new((101, 75), grey.clone()).unwrap();
        canvas.frame(&BoundingBox::new(0.2, 0.4, 0.4, 0.4), RED, false);
        assert_eq!(canvas.data[30 * 101 + 40], RED[0], "the upper edge");
        assert_eq!(canvas.data[45 * 101 + 40], 128, "the middle is left as it was");
        canvas.words(Point::new(0.0, 1.0), "HELMET 0.93", GREEN);
        assert!(canvas.data[..101 * 75].contains(&GREEN[0]) && canvas.data[..101 * 75].contains(&BLACK[0]));
        for bbox in [BoundingBox::new(-1.0, -1.0, 3.0, 3.0), BoundingBox::new(0.99, 0.99, 5.0, 5.0)] {
            canvas.frame(&bbox, BLUE, true);
            canvas.words(Point::new(bbox.x, bbox.y), "outside", YELLOW);
        }
        canvas.outline(&[Point::new(0.0, 0.0), Point::new(1.0, 0.5), Point::new(-3.0, 9.0)], ORANGE);
        assert_eq!(canvas.into_data().len(), grey.len());
        assert!(Canvas::new((101, 75), vec![0; 101 * 75]).is_none(), "too few pixels");
    }
}
