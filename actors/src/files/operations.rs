//! File operations. They block and run on worker threads.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use plain_file::Links;

use super::error::about;
use crate::limits::Limits;
use crate::protocol::RpcError;
use crate::protocol::fs::*;
use crate::protocol::path::AbsolutePath;
use crate::replace::{NewFile, replace};
use crate::workers::Progress;

/// Bytes that are read between two checks that the client is still waiting.
const CHUNK: u64 = 1024 * 1024;

/// Reads a regular file or the target of a link.
///
/// # Errors
/// -32600 if it is not a regular file or is larger than [`Limits::file_bytes`].
pub fn read_file(path: &AbsolutePath, limits: &Limits, progress: &Progress) -> Result<FsReadFileResponse, RpcError> {
    let content = read(path.as_path(), limits.file_bytes, progress).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => too_large(path, limits),
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            RpcError::invalid_request(format_args!("path `{path}` is not a file"))
        }
        _ => about(path)(error),
    })?;
    Ok(FsReadFileResponse { data_base64: BASE64_STANDARD.encode(content) })
}

fn read(path: &Path, most: usize, progress: &Progress) -> io::Result<Vec<u8>> {
    let file = plain_file::open(path, Links::Follow)?;
    // The reported size of a file can be wrong; files in /proc report 0.
    if file.metadata()?.len() > most as u64 {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let mut content = Vec::new();
    loop {
        progress.step()?;
        let bytes = (&file).take(CHUNK).read_to_end(&mut content).map_err(plain_file::explain_waiting)?;
        if bytes == 0 {
            return Ok(content);
        }
        if content.len() > most {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
}

/// Writes a file.
///
/// # Errors
/// -32600 if the content is not base64 or is larger than [`Limits::file_bytes`].
pub fn write_file(params: &FsWriteFileParams, limits: &Limits) -> Result<(), RpcError> {
    let FsWriteFileParams { path, data_base64, .. } = params;
    let content = BASE64_STANDARD.decode(data_base64).map_err(|e| {
        RpcError::invalid_request(format_args!("fs/writeFile requires valid base64 dataBase64: {e} (path `{path}`)"))
    })?;
    if content.len() > limits.file_bytes {
        return Err(too_large(path, limits));
    }
    replace(path.as_path(), &content, NewFile::Ordinary).map_err(about(path))
}

fn too_large(path: &AbsolutePath, limits: &Limits) -> RpcError {
    let most = limits.file_bytes;
    RpcError::invalid_request(format_args!("`{path}` has more than {most} bytes, the most that one request can move"))
}

/// Creates a directory.
///
/// # Errors
/// -32603 with the error of the operating system.
pub fn create_directory(params: &FsCreateDirectoryParams) -> Result<(), RpcError> {
    let path = params.path.as_path();
    let made = if params.recursive.unwrap_or(true) { fs::create_dir_all(path) } else { fs::create_dir(path) };
    made.map_err(about(&params.path))
}

/// Returns the metadata of a path.
///
/// # Errors
/// -32603 with the error of the operating system, also for a dangling link.
pub fn get_metadata(path: &AbsolutePath) -> Result<FsGetMetadataResponse, RpcError> {
    let itself = fs::symlink_metadata(path.as_path()).map_err(about(path))?;
    let target = fs::metadata(path.as_path()).map_err(about(path))?;
    Ok(FsGetMetadataResponse {
        is_directory: target.is_dir(),
        is_file: target.is_file(),
        is_symlink: itself.is_symlink(),
        created_at_ms: unix_ms(target.created()),
        modified_at_ms: unix_ms(target.modified()),
    })
}

fn unix_ms(time: io::Result<SystemTime>) -> i64 {
    let since_epoch = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since_epoch.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

/// Lists a directory.
///
/// # Errors
/// -32600 if there are more than [`Limits::directory_entries`] entries.
pub fn read_directory(
    path: &AbsolutePath,
    limits: &Limits,
    progress: &Progress,
) -> Result<FsReadDirectoryResponse, RpcError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path.as_path()).map_err(about(path))? {
        let entry = entry.map_err(about(path))?;
        progress.step().map_err(about(path))?;
        // Of a dangling link, what is known of the link itself.
        let Ok(metadata) = fs::metadata(entry.path()).or_else(|_| entry.metadata()) else {
            // It was removed meanwhile.
            continue;
        };
        if entries.len() == limits.directory_entries {
            let most = limits.directory_entries;
            return Err(RpcError::invalid_request(format_args!(
                "`{path}` has more than {most} entries, the most that are listed"
            )));
        }
        let name = entry.file_name();
        entries.push(FsReadDirectoryEntry {
            file_name: name.to_string_lossy().into_owned(),
            file_name_base64: name.to_str().is_none().then(|| BASE64_STANDARD.encode(name.as_bytes())),
            is_directory: metadata.is_dir(),
            is_file: metadata.is_file(),
        });
    }
    entries.sort_unstable_by(|a, b| a.file_name.cmp(&b.file_name));
    Ok(FsReadDirectoryResponse { entries })
}
