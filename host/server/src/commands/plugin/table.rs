//! Columns for people.

/// A column's heading, and to which side its cells go.
pub enum Column {
    Left(&'static str),
    Right(&'static str),
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Self::Left(name) | Self::Right(name) => name,
        }
    }

    fn pad(&self, cell: &str, width: usize) -> String {
        match self {
            Self::Left(_) => format!("{cell:<width$}"),
            Self::Right(_) => format!("{cell:>width$}"),
        }
    }
}

/// One line a row, under a line of headings. Each column is as wide as its widest
/// cell; one without any content is left out.
pub fn lines<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|index| {
        rows.iter().map(|row| row[index].chars().count()).max().unwrap_or(0)
    });
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for ((column, cell), width) in columns.iter().zip(cells).zip(widths) {
            if width > 0 {
                line.push_str(&column.pad(cell, width.max(column.name().len())));
                line.push_str("  ");
            }
        }
        line.trim_end().to_owned()
    };
    let heading = line(std::array::from_fn(|index| columns[index].name()));
    let rows = rows.iter().map(|row| line(std::array::from_fn(|index| row[index].as_str())));
    std::iter::once(heading).chain(rows).collect()
}
