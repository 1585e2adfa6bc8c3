//! A cable that remembers everything that goes through it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// See the module's documentation.
pub struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// Leads to `to`.
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let ear = Arc::clone(&heard);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(to) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    let ear = Arc::clone(&ear);
                    thread::spawn(move || listen(from, to, &ear));
                }
            }
        });
        Self { address, heard }
    }

    /// Whether these words went through, in either direction. What a client sends is masked, but it comes out again unmasked at
    /// the other end of the relay.
    pub fn heard(&self, words: &str) -> bool {
        let heard = self.heard.lock().expect("nobody panicked");
        heard.windows(words.len()).any(|window| window == words.as_bytes())
    }
}

fn listen(mut from: TcpStream, mut to: TcpStream, ear: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        ear.lock().expect("nobody panicked").extend_from_slice(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    // One that is closed already is closed.
    let _ = to.shutdown(Shutdown::Both);
}
