//! Peers that read slowly, or only after a long while: nothing of theirs is lost, and they are not cut for it.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use serde_json::{Value, json};

use crate::client::Client;
use crate::clients::paced::Paced;
use crate::frame::{Kind, Numbered, bears};
use crate::gauges::{MIB, Peak};
use crate::report::Finding;
use crate::served::{Door, SOCKETS, Served};
use crate::support::process::Launch;
use crate::{Result, Size};

/// Messages of a broadcast, each of a size, and what a slow peer reads of them a second.
const MANY: (usize, usize) = (2_000, 16 * 1024);
const FEW: (usize, usize) = (2, 14 * 1024 * 1024);
const BYTES_PER_SECOND: usize = 1_500_000;

/// For so long a socket takes nothing more until it counts as not read any more.
const STILL: Duration = Duration::from_secs(1);
/// `limits.connection_unread_bytes` and what requests in flight add to it.
const UNREAD: f64 = 2.0 * MIB;

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let served = start(Launch::new());
        findings.extend(asks_and_never_reads(&served, socket)?);
        for (what, (messages, bytes)) in [("many messages", MANY), ("few large messages", FEW)] {
            let messages = size.of(messages).max(FEW.0);
            let got = reads_steadily(&served, messages, bytes)?;
            let what = format!("reads slowly but steadily, {socket}: of {messages}, {what} that arrive");
            findings.push(Finding::count(what, got).at_least(messages as f64));
        }
    }
    Ok(findings)
}

/// Sends requests until the server takes no more; then reads the answers.
fn asks_and_never_reads(served: &Served, socket: &str) -> Result<[Finding; 3]> {
    // Warms up, and shows that others are served meanwhile.
    let others = Paced::sequential(&served.door, 1_000.0, 500);
    others.clone().measure()?;
    let before = served.gauges()?;
    let peak = Peak::of(served.id());
    let mut greedy = served.door.client()?;
    let sent = send_until_still(&mut greedy)?;
    let served_others = others.measure()?;
    let grown = peak.most() - before.resident;
    let mut answered = 0;
    while answered < sent {
        while let Some(text) = greedy.next()? {
            answered += usize::from(bears(text, br#""result""#));
        }
        if answered < sent {
            greedy.fill()?;
        }
    }
    let name = |what: &str| format!("asks and never reads, {socket}: {what}");
    Ok([
        Finding::new(name("memory for it when it is not read any more"), grown / MIB, "MiB").at_most(UNREAD / MIB),
        Finding::count(name("requests of another refused meanwhile"), served_others.refused).at_most(0.0),
        Finding::count(name("answers missing when it reads after all"), sent - answered).at_most(0.0),
    ])
}

/// Writes requests until the socket takes nothing for a while: how many it took whole.
fn send_until_still(client: &mut Client) -> Result<usize> {
    let mut request = Numbered::new(client.framing(), "thread/list", "{}");
    let (mut sent, mut since, mut rest) = (0, Instant::now(), Vec::new());
    rustix::io::ioctl_fionbio(client.descriptor(), true)?;
    while since.elapsed() < STILL {
        if rest.is_empty() {
            rest.extend_from_slice(request.next());
        }
        match rustix::io::write(client.descriptor(), &rest) {
            Ok(written) => {
                rest.drain(..written);
                sent += usize::from(rest.is_empty());
                since = Instant::now();
            }
            Err(Errno::AGAIN) => thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error.into()),
        }
    }
    rustix::io::ioctl_fionbio(client.descriptor(), false)?;
    Ok(sent)
}

/// A broadcast of so many messages, faster than one peer reads: how many of them that peer gets.
fn reads_steadily(served: &Served, messages: usize, bytes: usize) -> Result<usize> {
    let mut client = served.server.client();
    let thread: Value = client.call("thread/start", json!({}))["thread"]["id"].take();
    drop(client);
    let slow = served.door.client()?;
    let reading = thread::spawn(move || read_slowly(slow, messages).map_err(|error| error.to_string()));
    send(&served.door, &thread, messages, bytes)?;
    Ok(reading.join().map_err(|_| "the reader panicked")??)
}

fn send(door: &Door, thread: &Value, messages: usize, bytes: usize) -> Result<()> {
    let mut client = door.client()?;
    let params = json!({"threadId": thread, "name": "n".repeat(bytes)}).to_string();
    let mut rename = Numbered::new(client.framing(), "thread/name/set", &params);
    for _ in 0..messages {
        client.write(rename.next())?;
        // It hears of it too. Who does not read what is large is not read either.
        client.wait_for(b"thread/name/updated", |_| ())?;
    }
    Ok(())
}

/// The renames that arrive until the last one or the end of the connection.
fn read_slowly(mut client: Client, messages: usize) -> Result<usize> {
    while client.next()?.is_some() {}
    let (mut piece, mut unread) = ([0; 16 * 1024], Vec::new());
    let (start, mut read, mut got) = (Instant::now(), 0, 0);
    while got < messages {
        let due = start + Duration::from_secs_f64(read as f64 / BYTES_PER_SECOND as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let Ok(bytes @ 1..) = client.descriptor().read(&mut piece) else { break };
        read += bytes;
        unread.extend_from_slice(&piece[..bytes]);
        while let Some(found) = client.framing().find(&unread) {
            got += usize::from(found.kind == Kind::Text && bears(&unread[found.payload], b"thread/name/updated"));
            unread.drain(..found.length);
        }
    }
    Ok(got)
}
