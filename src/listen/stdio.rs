//! stdin and stdout as asynchronous streams, without a helper thread if the system allows it: a hop to a thread and
//! back costs more than the rest of a round trip.

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd as _},
        unix::net::UnixStream as StdUnixStream,
    },
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use rustix::{
    fs::FileType,
    net::{AddressFamily, SocketType, getsockname, sockopt::socket_type},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Stdin, Stdout},
    net::{UnixStream, unix::pipe},
};

/// stdin.
pub enum Input {
    /// A pipe, opened again.
    Pipe(pipe::Receiver),
    /// A Unix socket, duplicated.
    Socket(UnixStream),
    /// A terminal, a file, or another stream that cannot be polled: read on a helper thread.
    Other(Stdin),
}

/// stdout.
pub enum Output {
    /// A pipe, opened again.
    Pipe(pipe::Sender),
    /// A Unix socket, duplicated.
    Socket(UnixStream),
    /// A terminal, a file, or another stream that cannot be polled: written on a helper thread.
    Other(Stdout),
}

/// How a standard stream can be polled.
enum Kind {
    Pipe(PathBuf),
    Socket(UnixStream),
    Other,
}

/// The standard streams of this process. Needs a running reactor.
pub fn open() -> (Input, Output) {
    (open_input(io::stdin()), open_output(io::stdout()))
}

/// Puts `/dev/null` in the place of stdin and stdout, so that a client there sees the end while the process goes on.
///
/// # Errors
/// The operating system refused.
pub fn leave() -> io::Result<()> {
    let nothing = plain_file::open_null()?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(rustix::stdio::dup2_stdout(&nothing)?)
}

fn open_input(stdin: impl AsFd) -> Input {
    match kind(stdin.as_fd()) {
        Kind::Pipe(path) => pipe::OpenOptions::new().open_receiver(path).map(Input::Pipe).ok(),
        Kind::Socket(stream) => Some(Input::Socket(stream)),
        Kind::Other => None,
    }
    .unwrap_or_else(|| Input::Other(tokio::io::stdin()))
}

fn open_output(stdout: impl AsFd) -> Output {
    match kind(stdout.as_fd()) {
        Kind::Pipe(path) => pipe::OpenOptions::new().open_sender(path).map(Output::Pipe).ok(),
        Kind::Socket(stream) => Some(Output::Socket(stream)),
        Kind::Other => None,
    }
    .unwrap_or_else(|| Output::Other(tokio::io::stdout()))
}

fn kind(stream: impl AsFd) -> Kind {
    match rustix::fs::fstat(&stream).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        // Opening it again keeps the non-blocking mode private: a duplicate would share it with other holders of the
        // stream, such as the shell that started us.
        Ok(FileType::Fifo) if cfg!(target_os = "linux") => {
            Kind::Pipe(format!("/proc/self/fd/{}", stream.as_fd().as_raw_fd()).into())
        }
        Ok(FileType::Socket) => duplicate(stream).map_or(Kind::Other, Kind::Socket),
        _ => Kind::Other,
    }
}

/// A socket cannot be opened again. A duplicate shares its non-blocking mode, which its other holders (usually a parent
/// that no longer uses it) do not notice.
fn duplicate(stream: impl AsFd) -> io::Result<UnixStream> {
    let is_unix = getsockname(&stream)?.address_family() == AddressFamily::UNIX;
    if !is_unix || socket_type(&stream)? != SocketType::STREAM {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let duplicate = StdUnixStream::from(stream.as_fd().try_clone_to_owned()?);
    duplicate.set_nonblocking(true)?;
    UnixStream::from_std(duplicate)
}

impl Input {
    fn stream(&mut self) -> Pin<&mut (dyn AsyncRead + Unpin)> {
        match self {
            Self::Pipe(pipe) => Pin::new(pipe),
            Self::Socket(socket) => Pin::new(socket),
            Self::Other(stdin) => Pin::new(stdin),
        }
    }
}

impl AsyncRead for Input {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().poll_read(cx, buffer)
    }
}

impl Output {
    fn stream(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self {
            Self::Pipe(pipe) => Pin::new(pipe),
            Self::Socket(socket) => Pin::new(socket),
            Self::Other(stdout) => Pin::new(stdout),
        }
    }
}

impl Output {
    /// Resolves when the reading end is closed. The system reports that without a write for pipes only.
    pub async fn unread(&self) {
        match self {
            // An error means that the reactor has ended, and there is nothing to report to.
            Self::Pipe(pipe) => drop(pipe.ready(Interest::ERROR).await),
            Self::Socket(_) | Self::Other(_) => std::future::pending().await,
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().stream().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Pipe(pipe) => pipe.is_write_vectored(),
            Self::Socket(socket) => socket.is_write_vectored(),
            Self::Other(stdout) => stdout.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read as _, Write as _},
    };

    use rustix::fs::{OFlags, fcntl_getfl};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[cfg(target_os = "linux")]
    #[actix_rt::test]
    async fn a_pipe_is_polled_and_its_other_holders_notice_nothing() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut input = open_input(&reader);
        assert!(matches!(input, Input::Pipe(_)));
        assert!(!fcntl_getfl(&reader).unwrap().contains(OFlags::NONBLOCK));
        writer.write_all(b"in").unwrap();
        drop(writer);
        let mut text = String::new();
        input.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "in");

        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = open_output(&writer);
        assert!(matches!(output, Output::Pipe(_)));
        assert!(!fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK));
        output.write_all(b"out").await.unwrap();
        drop((output, writer));
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "out");
    }

    #[actix_rt::test]
    async fn a_socket_pair_is_polled() {
        let (ours, mut theirs) = StdUnixStream::pair().unwrap();
        let (mut input, mut output) = (open_input(&ours), open_output(&ours));
        assert!(matches!((&input, &output), (Input::Socket(_), Output::Socket(_))));
        theirs.write_all(b"ping").unwrap();
        let mut four = [0; 4];
        input.read_exact(&mut four).await.unwrap();
        output.write_all(&four).await.unwrap();
        theirs.read_exact(&mut four).unwrap();
        assert_eq!(&four, b"ping");
    }

    #[actix_rt::test]
    async fn what_cannot_be_polled_goes_through_a_helper_thread() {
        let null = File::open("/dev/null").unwrap();
        assert!(matches!(open_input(&null), Input::Other(_)));
        assert!(matches!(open_output(tempfile::tempfile().unwrap()), Output::Other(_)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(matches!(open_input(&listener), Input::Other(_)));
    }

    #[cfg(target_os = "linux")]
    #[actix_rt::test]
    async fn a_pipe_tells_when_nobody_reads_it() {
        use std::time::Duration;
        let (reader, writer) = io::pipe().unwrap();
        let output = open_output(&writer);
        assert!(tokio::time::timeout(Duration::from_millis(20), output.unread()).await.is_err());
        drop(reader);
        tokio::time::timeout(Duration::from_secs(60), output.unread()).await.unwrap();
    }

    #[cfg(target_os = "linux")]
    #[actix_rt::test]
    async fn a_pipe_that_nobody_reads_any_more_is_an_error_of_the_write_alone() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let error = open_output(&writer).write_all(b"lost").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
