//! Comma-separated values as Excel reads them (RFC 4180, UTF-8 with a byte order mark).

/// Makes Excel read the file as UTF-8.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Appends a row.
pub(super) fn push(out: &mut String, cells: &[impl AsRef<str>]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_cell(out, cell.as_ref());
    }
    out.push_str("\r\n");
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe: names are typed by people.
fn push_cell(out: &mut String, cell: &str) {
    let formula = cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r']);
    if !formula && !cell.contains(['"', ',', '\r', '\n']) {
        out.push_str(cell);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut out = String::new();
        push(&mut out, cells);
        out
    }

    #[test]
    fn cells_stay_cells() {
        assert_eq!(row(&["a", "工地，北", "x,y", "q\"q", "l\nl"]), "a,工地，北,\"x,y\",\"q\"\"q\",\"l\nl\"\r\n");
        assert_eq!(row(&["=cmd()", " +1", "@x", "-1"]), "\"'=cmd()\",\"' +1\",\"'@x\",\"'-1\"\r\n");
    }

    proptest! {
        /// What a reader of RFC 4180 gets back is what was written, but for the apostrophe.
        #[test]
        fn any_text_reads_back(cells in prop::collection::vec("\\PC{0,12}|[\",\r\n=a]{0,8}", 1..5)) {
            let mut out = String::new();
            push(&mut out, &cells);
            let mut read = vec![String::new()];
            let (mut quoted, mut chars) = (false, out.strip_suffix("\r\n").unwrap().chars().peekable());
            while let Some(c) = chars.next() {
                match c {
                    '"' if quoted && chars.peek() == Some(&'"') => {
                        chars.next();
                        read.last_mut().unwrap().push('"');
                    }
                    '"' => quoted = !quoted,
                    ',' if !quoted => read.push(String::new()),
                    c => read.last_mut().unwrap().push(c),
                }
            }
            for (read, cell) in read.iter().zip(&cells) {
                prop_assert!(read == cell || read.strip_prefix('\'') == Some(cell));
                prop_assert!(!read.trim_start().starts_with(['=', '+', '-', '@']));
            }
            prop_assert_eq!(read.len(), cells.len());
        }
    }
}
