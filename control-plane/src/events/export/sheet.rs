//! An Excel workbook with the pictures as thumbnails. Blocking: runs on a thread of its own.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Format, FormatAlign, Image, Workbook, XlsxError};

use super::TITLES;

/// Width of a thumbnail, pixels; also the picture column's.
const WIDTH: u32 = 160;

/// Height of a thumbnail at most, pixels.
const HEIGHT: u32 = 100;

/// The largest picture that is opened, bytes and pixels a side: a bigger one is left out.
const MAX_BYTES: u64 = 20_000_000;
const MAX_SIDE: u32 = 12_000;

/// Widths of the columns, characters.
const WIDTHS: [f64; 12] = [19.0, 16.0, 18.0, 19.0, 36.0, 8.0, 10.0, 18.0, 12.0, 19.0, 11.0, 37.0];

/// One event.
pub(super) struct Row {
    pub(super) cells: [String; 12],
    /// Where its picture is.
    pub(super) picture: Option<PathBuf>,
}

/// The workbook's bytes. A picture that cannot be read leaves its cell empty.
pub(super) fn write(rows: &[Row]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("预警事件")?;
    let head = Format::new().set_bold().set_align(FormatAlign::VerticalCenter);
    let body = Format::new().set_text_wrap().set_align(FormatAlign::VerticalCenter);
    let picture_column = TITLES.len() as u16;
    for (column, (title, width)) in (0_u16..).zip(TITLES.iter().zip(WIDTHS)) {
        sheet.write_string_with_format(0, column, *title, &head)?;
        sheet.set_column_width(column, width)?;
    }
    sheet.write_string_with_format(0, picture_column, "抓拍", &head)?;
    sheet.set_column_width_pixels(picture_column, WIDTH + 8)?;
    sheet.set_freeze_panes(1, 0)?;
    for (line, row) in (1_u32..).zip(rows) {
        // Strings are written as strings: none becomes a formula.
        for (column, cell) in (0_u16..).zip(&row.cells) {
            sheet.write_string_with_format(line, column, cell, &body)?;
        }
        if let Some(thumbnail) = row.picture.as_deref().and_then(thumbnail) {
            sheet.set_row_height_pixels(line, HEIGHT + 6)?;
            sheet.insert_image_with_offset(line, picture_column, &Image::new_from_buffer(&thumbnail)?, 4, 3)?;
        }
    }
    workbook.save_to_buffer()
}

/// A small JPEG of the picture.
fn thumbnail(path: &Path) -> Option<Vec<u8>> {
    if std::fs::metadata(path).ok()?.len() > MAX_BYTES {
        return None;
    }
    let mut reader = image::ImageReader::open(path).ok()?;
    reader.set_format(image::ImageFormat::Jpeg);
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    reader.limits(limits);
    let small = reader.decode().ok()?.thumbnail(WIDTH, HEIGHT).into_rgb8();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&small).ok()?;
    Some(bytes)
}
