//! Every cap in the program, in one place. Each has a counter that tells when it struck.

/// Bytes of output gathered before they are written.
pub const OUTPUT_BUFFER: usize = 128 * 1024;

/// Rows that a table holds to fit its columns to them; with more it is printed as it comes.
pub const TABLE_HELD_ROWS: usize = 1_000;

/// Bytes of rows that a table holds.
pub const TABLE_HELD_BYTES: usize = 1 << 20;

/// Characters of one piece of text (a path, a query) that a table shows; `…` stands for the rest.
pub const TABLE_CELL_CHARS: usize = 512;

/// Characters of a header field's value that a table shows below a row; `…` stands for the rest.
pub const TABLE_LINE_CHARS: usize = 4_096;
