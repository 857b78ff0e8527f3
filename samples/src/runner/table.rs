//! Tables of text.

use comfy_table::{ContentArrangement, presets};

use super::text::shown;

/// Rows under a header. What would break a line or can't be seen is escaped in them.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(header: [&'static str; N]) -> Self {
        Table { header: header.into(), rows: Vec::new() }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.row_of(cells);
    }

    pub(super) fn row_of(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| shown(&cell)).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn bordered(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        format!("{table}\n")
    }

    /// One line per row, columns aligned and two spaces apart.
    pub(super) fn plain(&self) -> String {
        let header: Vec<String> = self.header.iter().map(|&cell| cell.to_owned()).collect();
        let rows: Vec<&Vec<String>> = std::iter::once(&header).chain(&self.rows).collect();
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        let mut text = String::new();
        for row in rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_columns_are_aligned() {
        let mut table = Table::new(["tactic", "µs"]);
        table.row(["a".into(), "1.5".into()]);
        table.row(["longer name".into(), String::new()]);
        assert_eq!(table.plain(), "tactic       µs\na            1.5\nlonger name\n");
        assert_eq!(table.bordered().lines().count(), 6);
    }
}
