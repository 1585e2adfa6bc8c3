//! Writes the protocol as files.

use std::{error::Error, fs, io, path::Path};

use app_server_actors::protocol::schema::{Document, Protocol};

use crate::{cli::Target, output::print};

/// Writes the protocol as JSON Schema.
///
/// # Errors
/// A file cannot be written; the text names it.
pub fn json_schema(target: &Target) -> io::Result<()> {
    write_all(&Protocol::describe(target.experimental).json_schema(), &target.out)
}

/// Writes the protocol as TypeScript.
///
/// # Errors
/// A file cannot be written; the text names it.
pub fn typescript(target: &Target) -> io::Result<()> {
    write_all(&Protocol::describe(target.experimental).typescript(), &target.out)
}

/// Writes the protocol as OpenRPC to the file `out`, into the directory `out`, or else to stdout.
///
/// # Errors
/// The file cannot be written; the text names it.
pub fn openrpc(out: Option<&Path>, experimental: bool) -> Result<(), Box<dyn Error>> {
    let text = Protocol::describe(experimental).openrpc();
    match out {
        None => Ok(print(text.as_bytes())?),
        Some(folder) if folder.is_dir() => Ok(write(&folder.join("openrpc.json"), &text)?),
        Some(file) => Ok(write(file, &text)?),
    }
}

fn write_all(documents: &[Document], folder: &Path) -> io::Result<()> {
    documents.iter().try_for_each(|document| write(&folder.join(&document.path), &document.text))
}

#[expect(clippy::disallowed_methods, reason = "the file is named by the person who waits for it, and may be a pipe")]
fn write(file: &Path, text: &str) -> io::Result<()> {
    let parent = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", file.display())))
}
