//! The floor: a process that sends back every byte it gets. It parses nothing, so what it takes is the kernel's.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread;

use crate::Result;
use crate::process::path_after;

/// Sends bytes back at `address` (the form of `--listen`).
pub fn serve(address: &str) -> Result<()> {
    if address == "stdio://" {
        reflect(std::io::stdin().lock(), std::io::stdout().lock());
        return Ok(());
    }
    if let Some(path) = path_after("unix://", address) {
        for stream in UnixListener::bind(path)?.incoming() {
            let stream = stream?;
            thread::spawn(move || reflect(&stream, &stream));
        }
        return Ok(());
    }
    let listener = TcpListener::bind(address.trim_start_matches("ws://"))?;
    eprintln!("ws://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || reflect(&stream, &stream));
    }
    Ok(())
}

/// Until the peer goes away. A blocking read is the quickest way to be woken, hence a thread for each connection.
fn reflect(mut from: impl Read, mut to: impl Write) {
    let mut bytes = [0; 16 * 1024];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(length) => {
                if to.write_all(&bytes[..length]).and_then(|()| to.flush()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
