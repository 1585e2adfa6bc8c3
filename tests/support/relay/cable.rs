//! A cable between two ends that can be cut.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on what comes to a port of its own.
pub struct Cable {
    pub address: SocketAddr,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    /// Leads to `to`.
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let ends = Arc::<Mutex<Vec<TcpStream>>>::default();
        let its = Arc::clone(&ends);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(to) else { continue };
                let pairs = [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())];
                its.lock().expect("nobody panicked").extend([near, far]);
                for (from, to) in pairs {
                    let (from, to) = (from.expect("a socket"), to.expect("a socket"));
                    thread::spawn(move || {
                        // Its end is the end of the connection.
                        let _ = pass(from, to);
                    });
                }
            }
        });
        Self { address, ends }
    }

    /// Cuts everything that goes through; new connections are passed on.
    pub fn cut(&self) {
        for end in self.ends.lock().expect("nobody panicked").drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes)?;
        if read == 0 {
            return to.shutdown(Shutdown::Both);
        }
        to.write_all(&bytes[..read])?;
    }
}
