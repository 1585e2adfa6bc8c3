//! How much a patch may cost.

/// Bounds of one patch. What is beyond them is refused in words for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Longest patch, in bytes.
    pub patch_bytes: usize,
    /// Most operations of a patch. Writing keeps up to two folders open for each.
    pub operations: usize,
    /// Largest file that a patch may update, replace or delete, in bytes.
    pub file_bytes: usize,
    /// Most lines of a file that a patch may update.
    pub file_lines: usize,
    /// Most bytes of all files that one patch reads or writes.
    pub all_bytes: usize,
    /// Most comparisons of lines that the search for the places of all hunks may take.
    pub comparisons: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            patch_bytes: 4 << 20,
            operations: 400,
            file_bytes: 8 << 20,
            file_lines: 1_000_000,
            all_bytes: 32 << 20,
            comparisons: 200_000_000,
        }
    }
}
