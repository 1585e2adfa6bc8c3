//! `apply-patch`, also called `apply_patch`: the program by which commands of the agent change files.
//!
//! It needs nothing but the files: no settings, no server, no home. What it may write is up to the sandbox it runs in.

use std::env;
use std::error::Error;
use std::io::{self, Read};

use app_server_actors::patch::{Bounds, Planned, parse, plan};

use crate::{cli::ApplyPatchArguments, output::print};

/// Most bytes of JSON for one byte of a file, and what the rest of a plan may have.
const JSON_BYTES: (usize, usize) = (6, 1 << 20);

/// Applies the patch, and prints which files it has changed.
///
/// # Errors
/// The patch is refused or cannot be written, in words for the model. No file has changed then.
pub fn run(arguments: &ApplyPatchArguments) -> Result<(), Box<dyn Error>> {
    let bounds = Bounds::default();
    let planned = if arguments.planned {
        let (factor, rest) = JSON_BYTES;
        serde_json::from_str(&stdin(bounds.all_bytes * factor + rest)?)?
    } else {
        plan_patch(arguments.patch.as_deref(), &bounds)?
    };
    planned.write()?;
    Ok(print(planned.summary().as_bytes())?)
}

fn plan_patch(argument: Option<&str>, bounds: &Bounds) -> Result<Planned, Box<dyn Error>> {
    let patch = match argument {
        Some(text) => parse(text, bounds)?,
        // One byte more than allowed, so that the parser can say so.
        None => parse(&stdin(bounds.patch_bytes + 1)?, bounds)?,
    };
    Ok(plan(&patch, &env::current_dir()?, bounds)?)
}

/// The first `most` bytes on stdin.
fn stdin(most: usize) -> Result<String, Box<dyn Error>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(most as u64).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| "stdin is not UTF-8 text; write the patch in UTF-8".into())
}
